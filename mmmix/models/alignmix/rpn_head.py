"""The region proposal network's head where a plan carries component 1's labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.models.dense_heads import MixRPNHead
from mmmix.models.dense_heads.drawn_anchors import Grid, Targets
from mmmix.models.supervisions import Losses
from mmmix.structures import Annotations

from .fields import TRANSPORT
from .label_maps import Levels
from .soft_assignment import all_negative, assigned_shares, soft_assignment
from .transport import Transport


@MODELS.register_module()
class AlignMixRPNHead(MixRPNHead):
    """``MixRPNHead`` of ``AlignMix``, which builds it in that one's place.

    An image with a plan has component 1's labels carried through it, and the offsets
    of component 0.
    """

    def joint_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """As ``MixRPNHead``; image by image where labels travel."""
        if all(meta.get(TRANSPORT) is None for meta in parts[0].metas):
            return super().joint_loss(cls_scores, bbox_preds, parts)
        return self.joint_loss_by_image(cls_scores, bbox_preds, parts)

    def _joint_targets(self, grid: Grid, parts: list[Annotations]) -> list[Targets]:
        """As ``MixRPNHead``; component 1 has two sets of targets if labels travel."""
        drawn = [self._drawn(grid, parts, i) for i in range(len(grid.metas))]
        views, shares = zip(*drawn)
        targets = [
            self._view_targets(grid, part, samples)
            for part, samples in zip(parts, zip(*views))
        ]
        if any(share is not None for share in shares):
            targets[1:] = split_by_share(targets[1], shares)
        return targets

    def _drawn(
        self, grid: Grid, parts: list[Annotations], index: int
    ) -> tuple[list[SamplingResult], Tensor | None]:
        """One sample of an image's anchors as each part sees it, and the shares.

        The shares, ``(A, 2)`` of object and background, are what the image's plan
        makes of component 1's labels, if it has one; its sample then is all negative
        to component 1.
        """
        inside, assigned = self._assigned(grid, parts, index)
        transport = parts[0].metas[index].get(TRANSPORT)
        if transport is None:
            return self._views(grid, parts, index, inside, assigned), None
        levels = Levels.of(grid.sizes, self.prior_generator)
        share = carried_shares(assigned[1], inside, transport, levels)
        soft = soft_assignment(share[inside], len(parts[1].gt_instances[index]))
        views = self._views(
            grid,
            parts,
            index,
            inside,
            [assigned[0], soft],
            [assigned[0], all_negative(soft)],
        )
        return views, share


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
