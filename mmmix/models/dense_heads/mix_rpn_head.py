"""The region proposal network's head for mixed samples."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.prior_generators import anchor_inside_flags
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.models.utils import images_to_levels, multi_apply
from mmdet.registry import MODELS
from mmdet.structures.bbox import cat_boxes
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.ignored_boxes import HeedingAssigner
from mmmix.models.merged_assignment import regressed_first, sample_once, seen_by
from mmmix.models.supervisions import Losses
from mmmix.structures import LOSS_FACTORS, Annotations

from .drawn_anchors import DrawnAnchors, Grid, Targets
from .mix_anchor_head import MixAnchorHead
from .sampled_anchors import SampledAnchors

_NAMES = ('loss_rpn_cls', 'loss_rpn_bbox')


@MODELS.register_module()
class MixRPNHead(SampledAnchors, MixAnchorHead, RPNHead):
    """``RPNHead`` that understands mixed samples.

    Parameters and state-dict keys are those of ``RPNHead``, and so is the loss of a
    batch without mixed samples, to 1e-6 on the same sample of anchors; it is one
    number instead of one a level. Anchors of all images and components are assigned
    and drawn at once, see ``SampledAnchors``. Proposals are predicted once, as in the
    stock head.

    Args:
        *args: As ``RPNHead``.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As ``RPNHead``.
    """

    def _bbox_post_process(
        self, results: InstanceData, *args: Any, **kwargs: Any
    ) -> InstanceData:
        """Stock proposals; under autocast the suppression takes no half precision."""
        results.scores = results.scores.float()
        return super()._bbox_post_process(results, *args, **kwargs)

    def parts_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The sum of the stock loss over parts, each of which draws its own anchors."""
        if not self.draws_at_once():
            return super().parts_loss(cls_scores, bbox_preds, parts)
        losses = self.sampled_losses(cls_scores, bbox_preds, parts, joint=False)
        return {name: [loss] for name, loss in zip(_NAMES, losses)}

    def joint_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """BoxMix of two components (eq. 7-11) on one sample of anchors.

        An anchor's objectness target is λ o + (1 - λ) o'; a component that
        ignores the anchor adds nothing. The sample is drawn from the anchors that
        are positive in either component. Offsets are the dominant component's,
        with weight 1. Both terms are divided by the size of the sample.

        Args:
            cls_scores: Per level ``(N, num_anchors, H, W)``.
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            parts: Two batches of N images.

        Returns:
            ``loss_rpn_cls`` and ``loss_rpn_bbox``, lists of scalars.

        Raises:
            TypeError: If the sampler mines hard samples.
        """
        if not self.draws_at_once():
            return self.joint_loss_by_image(cls_scores, bbox_preds, parts)
        losses = self.sampled_losses(cls_scores, bbox_preds, parts, joint=True)
        return {name: [loss] for name, loss in zip(_NAMES, losses)}

    def joint_loss_by_image(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The same by the head's own assigner and sampler, image by image."""
        parts = regressed_first(parts)
        metas = [
            {key: value for key, value in meta.items() if key != LOSS_FACTORS}
            for meta in parts[0].metas
        ]
        sizes = [score.shape[-2:] for score in cls_scores]
        grid = Grid(*self.get_anchors(sizes, metas, cls_scores[0].device), metas, sizes)
        targets = self._joint_targets(grid, parts)
        anchors = images_to_levels(
            [cat_boxes(levels) for levels in grid.anchors],
            [len(level) for level in grid.anchors[0]],
        )
        passes = [
            multi_apply(
                self.loss_by_feat_single,
                cls_scores,
                bbox_preds,
                anchors,
                *levels,
                avg_factor=avg_factor,
            )
            for *levels, avg_factor in targets
        ]
        cls_passes, (loss_bbox, *_) = zip(*passes)
        return dict(
            loss_rpn_cls=[sum(levels) for levels in zip(*cls_passes)],
            loss_rpn_bbox=loss_bbox,
        )

    def _joint_targets(self, grid: Grid, parts: list[Annotations]) -> list[Targets]:
        """Targets of each component on one sample of anchors per image.

        The box regression of the first of them counts alone.
        """
        views = [
            self._views(grid, parts, i, *self._assigned(grid, parts, i))
            for i in range(len(grid.metas))
        ]
        return [
            self._view_targets(grid, part, samples)
            for part, samples in zip(parts, zip(*views))
        ]

    def _assigned(
        self, grid: Grid, parts: list[Annotations], index: int
    ) -> tuple[Tensor, list[AssignResult]]:
        """Which anchors lie inside an image, ``(A,)``, and each part's assignment."""
        inside = anchor_inside_flags(
            cat_boxes(grid.anchors[index]),
            torch.cat(grid.valid_flags[index]),
            grid.metas[index]['img_shape'][:2],
            self.train_cfg['allowed_border'],
        )
        priors = InstanceData(priors=cat_boxes(grid.anchors[index])[inside])
        assigner = HeedingAssigner(self.assigner)
        return inside, [
            assigner.assign(priors, part.gt_instances[index], part.ignored[index])
            for part in parts
        ]

    def _views(
        self,
        grid: Grid,
        parts: list[Annotations],
        index: int,
        inside: Tensor,
        assigned: Sequence[AssignResult],
        seen: Sequence[AssignResult] | None = None,
    ) -> list[SamplingResult]:
        """One sample of an image's anchors, as each part sees it.

        Args:
            grid: The batch's anchors.
            parts: Two batches of N images.
            index: The image.
            inside: ``(A,)`` bool, the anchors inside of it.
            assigned: Of each part, to draw from.
            seen: Of each part, to look at the sample with, if others.
        """
        priors = cat_boxes(grid.anchors[index])[inside]
        gts = [part.gt_instances[index] for part in parts]
        weights = [part.metas[index][LOSS_FACTORS].cls for part in parts]
        sample = sample_once(self.sampler, assigned, weights, priors, gts)
        return [
            seen_by(sample, view, priors, gt) for view, gt in zip(seen or assigned, gts)
        ]

    def _view_targets(
        self, grid: Grid, part: Annotations, samples: tuple[SamplingResult, ...]
    ) -> Targets:
        """Targets of a part on samples, label weights scaled by its factors."""
        head = copy.copy(self)
        head.assigner = head.sampler = DrawnAnchors(samples)
        labels, label_weights, *rest = head.get_targets(
            grid.anchors, grid.valid_flags, part.gt_instances, grid.metas
        )
        factors = label_weights[0].new_tensor(
            [[meta[LOSS_FACTORS].cls] for meta in part.metas]
        )
        return (labels, [weights * factors for weights in label_weights], *rest)
