"""Whether a loss heeds the weights of its samples, which is how λ reaches it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmdet.models.losses import GHMC, GHMR, EQLV2Loss, SeesawLoss
from mmdet.models.roi_heads import DynamicRoIHead
from torch import Tensor, nn

from mmmix.mixing.untraced import untraced

_DEAF = (GHMC, GHMR, EQLV2Loss)
"""Losses that reckon weights of their own, some of them with other ranks. They take
those of the head for flags, or not at all."""
_COUNTING = (SeesawLoss, EQLV2Loss, DynamicRoIHead)
"""What goes by counts of all that it has seen in training; so do GHM's losses with a
momentum."""


def deaf_losses(losses: Mapping[str, nn.Module | None], num_classes: int) -> list[str]:
    """Which losses of a head the weights of its samples do not scale.

    Args:
        losses: Those that there are of ``loss_cls`` and ``loss_bbox``; None is left
            out.
        num_classes: C of the head, without background.

    Returns:
        Each with its type, such as ``'loss_cls=GHMC'``.
    """
    samples = {
        'loss_cls': lambda loss: _labelled(loss, num_classes),
        'loss_bbox': lambda loss: _boxes(),
    }
    return [
        f'{name}={type(loss).__name__}'
        for name, loss in losses.items()
        if loss is not None and not _heeds_weights(loss, *samples[name](loss))
    ]


def counting_parts(model: nn.Module) -> list[str]:
    """Names of a model's losses and heads that go by counts of what they have seen.

    Where a step makes a pass for each component, they count all of it in each, whatever
    it weighs, and a pass sees the counts of the one before. So the sum is not exactly
    the weighted one.

    Args:
        model: A detector.
    """
    found = {
        type(part).__name__
        for part in model.modules()
        if isinstance(part, _COUNTING)
        or (isinstance(part, (GHMC, GHMR)) and part.momentum > 0)
    }
    return sorted(found)


def losses_of(head: Any) -> dict[str, nn.Module | None]:
    """The losses of a head that take weights of samples."""
    return {name: getattr(head, name, None) for name in ('loss_cls', 'loss_bbox')}


@untraced
def check_heeded(place: str, head: Any, supervision: Any) -> None:
    """Refuse a head whose losses would lose λ; it is asked once.

    Args:
        place: The head's key in the config.
        head: With ``num_classes``, and losses.
        supervision: What weighs its samples.

    Raises:
        ValueError: If there is a loss that does not heed them, with the way out.
    """
    if not hasattr(head, '_deaf_losses'):
        head._deaf_losses = deaf_losses(losses_of(head), head.num_classes)
    if head._deaf_losses:
        raise ValueError(
            f'{place}: {supervision} weighs samples, which '
            f'{" and ".join(head._deaf_losses)} would not heed, so that λ had no '
            "effect; take another loss, or model=dict(type='LossMixDetector', "
            "detector=...) with supervision=dict(type='LossMix'), which weighs "
            'finished losses (--mix lossmix does so by itself)'
        )


def gives_elements(loss: nn.Module) -> bool:
    """Whether a box loss can be had of each element, without weights."""
    weight = inspect.signature(loss.forward).parameters.get('weight')
    return weight is not None and weight.default is None


def _heeds_weights(loss: nn.Module, pred: Tensor, target: Tensor) -> bool:
    """Whether half the weights halve a loss; one that is not known is asked."""
    if isinstance(loss, _DEAF):
        return False
    weights = torch.ones(pred.shape if target.dim() == 2 else len(pred), device='cpu')
    values = []
    for share in (1.0, 0.5):
        # Some losses keep statistics of what they have seen.
        asked = copy.deepcopy(loss).cpu()
        with torch.no_grad():
            value = asked(pred, target, weights * share, avg_factor=1.0)
        terms = value.values() if isinstance(value, Mapping) else [value]
        values.append(sum(term.sum() for term in terms))
    return bool(torch.isclose(values[1] * 2, values[0]))


def _labelled(loss: Any, num_classes: int) -> tuple[Tensor, Tensor]:
    """Scores of two samples, an object and background, and their labels."""
    if getattr(loss, 'custom_cls_channels', False):
        width = loss.get_cls_channels(num_classes)
    else:
        width = num_classes + (not getattr(loss, 'use_sigmoid', False))
    scores = torch.linspace(-1, 1, 2 * width, device='cpu').view(2, width)
    return scores, torch.tensor([0, num_classes], device='cpu')


def _boxes() -> tuple[Tensor, Tensor]:
    """Two boxes, and what they should be: neither equal nor apart."""
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [1.0, 1.0, 5.0, 6.0]], device='cpu')
    return boxes, boxes + boxes.new_tensor([0.0, 0.5, 1.0, 1.5])
