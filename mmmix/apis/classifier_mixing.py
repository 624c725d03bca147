"""Whether a classifier's head and loss heed the labels that its mixers make."""

from __future__ import annotations

import copy

import torch
from torch import nn

from mmmix.apis.plain_errors import text_of
from mmmix.engine.find_mixers import is_called, label_mixers

_RAISED = (AssertionError, LookupError, RuntimeError, TypeError, ValueError)
"""What a loss may raise that takes no labels with weights."""


def check_mixed_labels(model: nn.Module) -> None:
    """Make sure that λ reaches the loss of a classifier that mixes.

    Args:
        model: Any model; one without mixed labels is passed over.

    Raises:
        ValueError: If the head or its loss would lose λ, with what to take instead.
    """
    mixers, head = label_mixers(model), getattr(model, 'head', None)
    if not mixers or head is None:
        return
    if is_called(head, 'ArcFaceClsHead'):
        raise ValueError(
            f'{mixers[0]} mixes labels, and {type(head).__name__} gives its margin to '
            'the class of the image itself, however little of it is left: take '
            "head=dict(type='LinearClsHead', ...), or leave the mixing out"
        )
    # A head with a step of its own, LossMixHead for one, takes what it likes.
    step = getattr(getattr(type(head), '_get_loss', None), '__module__', '')
    classes = getattr(head, 'num_classes', None) or model.data_preprocessor.num_classes
    if not step.startswith('mmpretrain.') or not classes:
        return
    loss = head.loss_module
    fault = _fault_of_loss(loss, classes)
    if fault:
        raise ValueError(
            f'{mixers[0]} mixes labels, and head.loss, {type(loss).__name__}, {fault}. '
            "Take head=dict(type='LossMixHead', ...), which weighs the losses of whole "
            'labels, another loss, or leave the mixing out'
        )


def _fault_of_loss(loss: nn.Module, classes: int) -> str | None:
    """What a loss makes of mixed labels, if it is wrong; tried on a copy."""
    if classes < 2:
        return None
    device = next(iter(loss.state_dict().values()), torch.zeros(0)).device
    scores = torch.arange(2.0 * classes, device=device).view(2, classes)
    found = []
    for lam in (0.25, 0.75):
        labels = torch.zeros_like(scores)
        labels[:, 0], labels[:, 1] = lam, 1 - lam
        try:
            found.append(copy.deepcopy(loss)(scores, labels, avg_factor=2))
        except _RAISED as error:
            return f'takes none: {text_of(error)}'
    if torch.equal(*found):
        return 'takes each of their classes in full, whatever its weight'
    return None
