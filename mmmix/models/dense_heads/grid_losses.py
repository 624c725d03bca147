"""YOLOv3's losses of all images and parts of a batch at once.

Shape shorthand: K parts, N images, R = K N rows, A anchors of an image, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.models.losses import CrossEntropyLoss
from mmdet.models.task_modules.assigners import BboxOverlaps2D, GridAssigner
from mmdet.models.task_modules.samplers import PseudoSampler
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional.max_iou import IoURule, assign_max_iou, exceeds
from mmmix.mixing.untraced import untraced
from mmmix.models.batch_assignment import say_slow
from mmmix.models.padded_boxes import PaddedBoxes, boxes_of
from mmmix.models.prior_targets import factors_of
from mmmix.models.supervisions import Losses
from mmmix.structures import (
    BOX_WEIGHTS,
    REGRESSION_WEIGHTS,
    Annotations,
)

from .anchor_grid import AnchorGrid, flat_predictions

_LOSSES = ('loss_cls', 'loss_conf', 'loss_xy', 'loss_wh')


class GridLosses:
    """Mixin for subclasses of ``YOLOV3Head``: losses of a whole batch at once.

    Assignment is that of ``GridAssigner``. Other assigners and samplers, and losses
    that are not sums, go image by image and level by level; the log says so once.
    """

    _last_grid: AnchorGrid | None = None

    def assigns_at_once(self) -> bool:
        """Whether assigner, sampler and losses are known."""
        rule = self.assigner
        known = (
            type(rule) is GridAssigner
            and type(rule.iou_calculator) is BboxOverlaps2D
            and rule.iou_calculator.dtype is None
            and isinstance(rule.neg_iou_thr, float)
            and min(rule.pos_iou_thr, rule.min_pos_iou) >= 0
            and type(self.sampler) is PseudoSampler
            and all(getattr(self, name).reduction == 'sum' for name in _LOSSES)
            and type(self.loss_cls) is CrossEntropyLoss
            and self.loss_cls.use_sigmoid
        )
        if not known:
            say_slow(self, rule, self.sampler)
        return known

    def batch_losses(
        self, pred_maps: list[Tensor], parts: Sequence[Annotations]
    ) -> Losses:
        """The sum over parts of each loss, as lists of one number.

        Args:
            pred_maps: Per level ``(N, num_anchors * (5 + C), H, W)``.
            parts: K batches of N images.
        """
        targets = self._grid_targets(pred_maps, parts)
        pred = flat_predictions(pred_maps, self.num_attrib)
        by_part = (rows.unflatten(0, (len(parts), len(pred))) for rows in targets)
        return self._losses(pred, *by_part)

    @untraced  # images have any number of boxes
    @torch.no_grad()
    def _grid_targets(
        self, pred_maps: list[Tensor], parts: Sequence[Annotations]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Owners, labels, offsets and weights of all anchors, rows of ``K N``."""
        grid = AnchorGrid.of(self.prior_generator, pred_maps, self._last_grid)
        self._last_grid = grid
        instances, ignored = boxes_of(parts)
        padded = PaddedBoxes.of(instances, grid.anchors)
        owners = self._owners(grid, padded, ignored)
        index = (owners - 1).clamp_(min=0)
        labels = padded.labels(0).gather(1, index)
        offsets = self._offsets(grid, padded, owners, index)
        return owners, labels, offsets, self._weights(padded, owners, index, parts)

    def _owners(
        self,
        grid: AnchorGrid,
        padded: PaddedBoxes,
        ignored: Sequence[InstanceData | None],
    ) -> Tensor:
        """The box of each anchor, ``(R, A)``: -1 if left out, 0 if negative."""
        rule, anchors = self.assigner, grid.anchors
        crowded = exceeds(anchors, padded.boxes, rule.neg_iou_thr)
        if self.ignore_iof_thr > 0 and any(one is not None for one in ignored):
            boxes = PaddedBoxes.of(ignored, anchors).boxes
            least = _beside(self.ignore_iof_thr, -1)
            crowded = crowded | exceeds(anchors, boxes, least, 'prior')
        strict = IoURule(
            positive=_beside(rule.pos_iou_thr, 1),
            negative=0.0,
            low_quality=_beside(rule.min_pos_iou, 1),
            all_nearest=rule.gt_max_assign_all,
            ignore=-1,
            share_of_prior=True,
        )
        away = ~self._responsible(grid, padded)
        own = assign_max_iou(anchors, padded.boxes, padded.counts, strict, away)
        return torch.where(own > 0, own, -crowded.long())

    def _responsible(self, grid: AnchorGrid, padded: PaddedBoxes) -> Tensor:
        """Anchors of the cells in which a box has its centre, ``(R, A)`` bool."""
        sizes, strides = grid.key[0], self.prior_generator.strides
        last = [
            min(size[1 - axis] * step[axis] for size, step in zip(sizes, strides)) - 1
            for axis in (0, 1)
        ]
        boxes = padded.boxes
        centres = ((boxes[..., :2] + boxes[..., 2:]) * 0.5).clamp(min=0)
        centres = torch.stack([centres[..., i].clamp(max=last[i]) for i in (0, 1)], -1)
        rows, none = [], sum(height * width for height, width in sizes)
        start = 0
        for (height, width), stride in zip(sizes, strides):
            column, row = ((centres[..., i] / stride[i]).floor().long() for i in (0, 1))
            rows.append(start + row * width + column)
            start += height * width
        cells = torch.where(padded.there[..., None], torch.stack(rows, dim=-1), none)
        flags = boxes.new_zeros(len(boxes), none + 1, dtype=torch.bool)
        flags.scatter_(1, cells.flatten(1), True)
        counts = [height * width for height, width in sizes]
        return torch.cat(
            [
                level[..., None].expand(-1, -1, num).flatten(1)
                for level, num in zip(
                    flags[:, :none].split(counts, dim=1),
                    self.prior_generator.num_base_priors,
                )
            ],
            dim=1,
        )

    def _weights(
        self,
        padded: PaddedBoxes,
        owners: Tensor,
        index: Tensor,
        parts: Sequence[Annotations],
    ) -> Tensor:
        """The weights of each anchor, ``(R, A, 2)``.

        They are those of its confidence and class terms, and of its box terms.

        Args:
            padded: The boxes of all parts.
            owners: ``(R, A)``.
            index: ``(R, A)``, the box of each positive.
            parts: K batches of N images.
        """
        factors = factors_of(parts, owners).float().flatten(0, 1)
        weights = factors[:, None].expand(-1, owners.shape[1], -1)
        for name, terms in (
            (BOX_WEIGHTS, slice(0, 2)),
            (REGRESSION_WEIGHTS, slice(1, 2)),
        ):
            if any(name in one for one in padded.instances):
                scale = padded.field(name, 1.0).to(weights).gather(1, index)
                scale = torch.where(owners > 0, scale, 1.0)[..., None]
                weights = weights.clone()
                weights[..., terms] *= scale
        return weights

    def _offsets(
        self, grid: AnchorGrid, padded: PaddedBoxes, owners: Tensor, index: Tensor
    ) -> Tensor:
        """What the box terms of positives should predict, ``(R, A, 4)``."""
        boxes = padded.boxes.gather(1, index[..., None].expand(-1, -1, 4))
        boxes = torch.where((owners > 0)[..., None], boxes, grid.anchors)
        strides = torch.cat(
            [
                grid.anchors.new_full((count,), float(stride))
                for count, stride in zip(grid.levels, self.featmap_strides)
            ]
        )
        priors = grid.anchors.expand_as(boxes).reshape(-1, 4)
        strides = strides.expand(len(boxes), -1).reshape(-1)
        return self.bbox_coder.encode(priors, boxes.reshape(-1, 4), strides).view_as(
            boxes
        )

    def _losses(
        self,
        pred: Tensor,
        owners: Tensor,
        labels: Tensor,
        targets: Tensor,
        weights: Tensor,
    ) -> Losses:
        """Each loss as a list of one number.

        Binary cross-entropy is linear in its target, so that the class terms of all
        parts, the most of what there is to compute, are those of one soft target.

        Args:
            pred: ``(N, A, 5 + C)``.
            owners: ``(K, N, A)``.
            labels: ``(K, N, A)``.
            targets: ``(K, N, A, 4)``.
            weights: ``(K, N, A, 2)``.
        """
        positive = (owners > 0).float()
        masks = positive[..., None] * weights
        known = (owners >= 0) * weights[..., 0]
        total = masks[..., 0].sum(dim=0)[..., None]
        classes = torch.zeros_like(pred[..., 5:], dtype=torch.float32)
        for label, mask in zip(labels, masks[..., 0]):
            classes.scatter_add_(2, label[..., None], mask[..., None])
        if self.one_hot_smoother != 0:
            rest = self.one_hot_smoother / self.num_classes
            classes = classes * (1 - self.one_hot_smoother) + rest * total
        classes = classes / torch.where(total > 0, total, 1.0)
        rows = list(zip(positive, targets, known, masks[..., 1:]))
        sums = (
            self.loss_cls(pred[..., 5:], classes, weight=total),
            sum(self.loss_conf(pred[..., 4], p, weight=w) for p, _, w, _ in rows),
            sum(
                self.loss_xy(pred[..., :2], t[..., :2], weight=m) for _, t, _, m in rows
            ),
            sum(
                self.loss_wh(pred[..., 2:4], t[..., 2:], weight=m)
                for _, t, _, m in rows
            ),
        )
        return {name: [value] for name, value in zip(_LOSSES, sums)}


def _beside(threshold: float, side: int) -> float:
    """The number of single precision beside a threshold: x > t is x >= beside t."""
    number = np.float32(threshold)
    return float(np.nextafter(number, np.float32(side * np.inf)))
