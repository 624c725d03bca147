"""Targets of anchors that were sampled before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from torch import Tensor

from mmmix.models.alignmix.soft_assignment import assigned_shares
from mmmix.models.alignmix.transport import Transport

from .pair_targets import Levels

Targets = tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor], int]
"""Labels, label weights, offsets and their weights per level, and the normaliser."""


class DrawnAnchors:
    """Assigner and sampler in one, for samples that were drawn before.

    Args:
        samples: One per image, in the order in which they will be asked for.
    """

    def __init__(self, samples: Sequence[SamplingResult]) -> None:
        self._samples = iter(samples)

    def assign(self, *args: Any) -> AssignResult | None:
        """Nothing to assign."""
        return None

    def sample(self, *args: Any) -> SamplingResult:
        """The next image's sample."""
        return next(self._samples)


def carried_shares(
    assigned: AssignResult, inside: Tensor, transport: Transport, levels: Levels
) -> Tensor:
    """Component 1's labels of an image's anchors, carried through its plan.

    Args:
        assigned: Its assignment of the anchors inside the image.
        inside: ``(A,)`` bool, which of all anchors these are.
        transport: The image's.
        levels: Layout of all anchors.

    Returns:
        ``(A, 2)`` shares of object and background.
    """
    shares = assigned_shares(assigned, num_classes=1)
    everywhere = shares.new_zeros(len(inside), 2)
    everywhere[inside] = shares
    return levels.carry(transport, everywhere)


def split_by_share(targets: Targets, shares: Sequence[Tensor | None]) -> list[Targets]:
    """Targets of component 1 whose anchors are objects and background in shares.

    Binary cross-entropy is linear in its target, so two passes with hard labels do.

    Args:
        targets: Of N images; those with shares have all sampled anchors as negatives.
        shares: Per image ``(A, 2)``, object and background; None where labels are
            hard.

    Returns:
        The targets with the weights of the background's shares, and targets of
        objects only with the weights of theirs. None of the latter has offsets.
    """
    labels, weights, boxes, box_weights, avg_factor = targets
    hard = weights[0].new_tensor([0.0, 1.0])
    num_anchors = sum(level.shape[1] for level in weights)
    table = torch.stack(
        [hard.expand(num_anchors, 2) if s is None else s.to(hard) for s in shares]
    )
    levels = table.split([level.shape[1] for level in weights], dim=1)
    objects, rest = (
        [weight * level[..., k] for weight, level in zip(weights, levels)]
        for k in range(2)
    )
    return [
        (labels, rest, boxes, box_weights, avg_factor),
        (
            [torch.zeros_like(level) for level in labels],
            objects,
            boxes,
            [torch.zeros_like(level) for level in box_weights],
            avg_factor,
        ),
    ]
