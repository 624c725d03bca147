"""LossMix for classifiers."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmpretrain.models import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmix.mixing.checks import check_integer


@MODELS.register_module()
class LossMixHead(LinearClsHead):
    """A linear head that weighs losses where others mix labels (LossMix, eq. 4-6).

    The loss of a mixed image is Σ_k w_k L(f(x̃), y_k) over its components. The batch
    augmentations of mmpretrain leave Σ_k w_k y_k in ``gt_score``, of which classes and
    weights are read; components of one class count as one. For the cross-entropy of a
    softmax this equals the loss on the mixed label (eq. 7-12), that is, Mixup; for any
    other loss of whole labels, focal for one, it does not.

    Parameters, state-dict keys and predictions are those of ``LinearClsHead``. Of a
    mixed batch, which has no one right label, ``cal_acc`` gives no accuracy. A loss
    that counts labels, ``SeesawLoss``, counts those of each component in full.

    Args:
        components: K, how many images are mixed into one.
        **settings: Arguments of ``LinearClsHead``, whose ``loss`` has to take labels
            ``(N,)`` with a weight for each, as ``CrossEntropyLoss`` of a softmax,
            ``LabelSmoothLoss``, ``FocalLoss`` and ``SeesawLoss`` do.

    Raises:
        TypeError: If ``components`` is no integer.
        ValueError: If it is not at least 1, or ``loss`` takes no labels ``(N,)``.
    """

    def __init__(self, *, components: int = 2, **settings: Any) -> None:
        super().__init__(**settings)
        check_integer('components', components, least=1)
        self.components = min(components, self.num_classes)
        self._check_loss()

    def _check_loss(self) -> None:
        """Try the loss on labels; on a copy, since some losses count what they see.

        Raises:
            ValueError: If it takes none.
        """
        size = 3 if self.num_classes == 2 else 2  # no (N, N), which a label (N,) fits
        score, label = torch.zeros(size, self.num_classes), torch.zeros(size).long()
        loss = copy.deepcopy(self.loss_module)
        try:
            loss(score, label, weight=torch.ones(size), avg_factor=size)
        except (
            AssertionError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as why:
            raise ValueError(
                'LossMixHead weighs losses of whole labels, and head.loss, '
                f'{type(loss).__name__}, takes no labels (N,) with a weight for each: '
                f"{why or type(why).__name__}. Take dict(type='CrossEntropyLoss') "
                'without use_sigmoid and use_soft, or for a sigmoid '
                "dict(type='FocalLoss')"
            ) from why

    def _get_loss(
        self, cls_score: Tensor, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        """The weighed losses; the stock loss of samples that met no mixer."""
        if 'gt_score' not in data_samples[0]:
            return super()._get_loss(cls_score, data_samples, **kwargs)
        scores = torch.stack([sample.gt_score for sample in data_samples])
        # Not in the type of the scores: halves do not resolve a sum close to 1.
        scores = scores.to(cls_score.device, torch.float32)
        weights, labels = scores.topk(self.components, dim=1)
        # Does not wait for the device, as an if would.
        torch._assert_async(
            torch.all((weights.sum(dim=1) - 1).abs() < 1e-3),
            f'LossMixHead expects labels of at most {self.components} classes with '
            'weights of sum 1; set components, leave label smoothing to the loss, and '
            'take MultiLabelLinearClsHead for images of several classes each',
        )
        # A loss that counts labels (SeesawLoss) sees no class that is not there.
        labels = torch.where(weights > 0, labels, labels[:, :1])
        size = len(cls_score)
        parts = [
            self.loss_module(cls_score, label, weight=weight, avg_factor=size, **kwargs)
            for weight, label in zip(weights.T, labels.T)
        ]
        return dict(loss=torch.stack(parts).sum())
