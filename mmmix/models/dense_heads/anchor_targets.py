"""Targets of all anchors, for all images and parts of a batch at once.

Shape shorthand: K parts, N images, A anchors of an image, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmdet.models.task_modules.samplers import PseudoSampler
from torch import Tensor

from mmmix.models.batch_assignment import assign_batch
from mmmix.models.padded_boxes import PaddedBoxes, boxes_of
from mmmix.structures import (
    BOX_WEIGHTS,
    LOSS_FACTORS,
    REGRESSION_WEIGHTS,
    Annotations,
    Factors,
)

from .anchor_grid import AnchorGrid

EPS = torch.finfo(torch.float32).eps
"""mmdet adds it to the normaliser of a weighted loss."""


class AnchorTargets(NamedTuple):
    """What the anchors should predict; nothing is scaled by the factor of an image.

    Attributes:
        anchors: ``(A, 4)``, or of each image ``(K, N, A, 4)``.
        owners: ``(K, N, A)`` int64: -1 for anchors that are left out, 0 for negatives,
            the 1-based index of a positive's box.
        labels: ``(K, N, A)`` in [0, C]; C is background.
        label_weights: ``(K, N, A)``, 0 for anchors that are left out.
        boxes: ``(K, N, A, 4)``: a positive's box, and other anchors themselves.
        box_weights: ``(K, N, A)``, 0 where there is no positive.
        factors: ``(K, N, 2)`` float64: (cls, reg) of each image.
    """

    anchors: Tensor
    owners: Tensor
    labels: Tensor
    label_weights: Tensor
    boxes: Tensor
    box_weights: Tensor
    factors: Tensor


class BatchTargets:
    """Mixin for subclasses of ``AnchorHead``: targets of a whole batch at once.

    They are those of ``MaxIoUAssigner`` and ``PseudoSampler``. Other assigners and
    samplers are asked image by image, as mmdet does; the log says so once.
    """

    _last_grid: AnchorGrid | None = None

    @torch.no_grad()
    def batch_targets(
        self, maps: Sequence[Tensor], parts: Sequence[Annotations]
    ) -> AnchorTargets:
        """Targets of all anchors and parts.

        Args:
            maps: Predictions of each level, ``(N, channels, height, width)``.
            parts: K batches of N images.

        Raises:
            ValueError: If an image has no anchor inside of it.
        """
        anchors, padded, owners = self.batch_owners(maps, parts, PseudoSampler)
        return self.targets_of(anchors, padded, owners, parts)

    def batch_owners(
        self, maps: Sequence[Tensor], parts: Sequence[Annotations], sampler: type
    ) -> tuple[Tensor, PaddedBoxes, Tensor]:
        """The box that each anchor belongs to.

        Args:
            maps: As :meth:`batch_targets`.
            parts: Likewise.
            sampler: The sampler whose work the caller does.

        Returns:
            Anchors, ``(A, 4)``; the boxes of all parts; owners, ``(K N, A)``.
        """
        grid = AnchorGrid.of(self.prior_generator, maps, self._last_grid)
        self._last_grid = grid
        metas = parts[0].metas
        out = grid.outside(metas, self.train_cfg['allowed_border'])
        instances, ignored = boxes_of(parts)
        padded = PaddedBoxes.of(instances, grid.anchors)
        owners = assign_batch(self, sampler, grid.anchors, padded, ignored, out)
        return grid.anchors, padded, owners

    def targets_of(
        self,
        anchors: Tensor,
        padded: PaddedBoxes,
        owners: Tensor,
        parts: Sequence[Annotations],
    ) -> AnchorTargets:
        """Targets of anchors whose owners are known.

        Args:
            anchors: ``(A, 4)``, or of each image ``(K N, A, 4)``.
            padded: The boxes of all parts.
            owners: ``(K N, A)``.
            parts: K batches of N images.
        """
        index = (owners - 1).clamp_(min=0)
        positive = owners > 0
        labels = padded.field('labels', self.num_classes).gather(1, index)
        weights = (owners >= 0).float()
        if self.train_cfg['pos_weight'] > 0:
            weights = torch.where(positive, self.train_cfg['pos_weight'], weights)
        box_weights = positive.float()
        for name, both in ((BOX_WEIGHTS, True), (REGRESSION_WEIGHTS, False)):
            if any(name in instances for instances in padded.instances):
                scale = padded.field(name, 1.0).to(weights).gather(1, index)
                box_weights = box_weights * scale
                weights = torch.where(positive & both, weights * scale, weights)
        own = padded.boxes.gather(1, index[..., None].expand(-1, -1, 4))
        rows = [
            owners,
            labels.where(positive, self.num_classes),
            weights,
            torch.where(positive[..., None], own, anchors),
            box_weights,
        ]
        shape = (len(parts), len(parts[0].metas))
        rows = [row.unflatten(0, shape) for row in rows]
        if anchors.dim() == 3:
            anchors = anchors.unflatten(0, shape)
        return AnchorTargets(anchors, *rows, factors_of(parts, anchors))

    def offsets(self, anchors: Tensor, boxes: Tensor) -> Tensor:
        """What the box regression should predict.

        Args:
            anchors: ``(A, 4)`` or ``(..., A, 4)``.
            boxes: ``(..., A, 4)``.

        Returns:
            Of the shape of ``boxes``: encoded, or as they are for a head that
            regresses decoded boxes.
        """
        if self.reg_decoded_bbox:
            return boxes
        priors = anchors.expand_as(boxes).reshape(-1, 4)
        return self.bbox_coder.encode(priors, boxes.reshape(-1, 4)).view_as(boxes)


def factors_of(parts: Sequence[Annotations], like: Tensor) -> Tensor:
    """(cls, reg) of each image, ``(K, N, 2)``, on the device of a tensor."""
    ones = Factors(1.0, 1.0)
    rows = [[meta.get(LOSS_FACTORS, ones) for meta in part.metas] for part in parts]
    # How many negatives a fractional n has is rounded, so that λ is kept as drawn.
    dtype = torch.float32 if like.device.type == 'mps' else torch.float64
    return torch.tensor(rows, dtype=dtype).to(like.device, non_blocking=True)
