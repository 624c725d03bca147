"""Losses of anchors that are drawn at random, of all images and parts at once.

Shape shorthand: K parts, N images, A anchors, S places of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.losses import CrossEntropyLoss
from mmdet.models.task_modules.samplers import RandomSampler
from torch import Tensor

from mmmix.functional.sampling import Sample, draw_sample
from mmmix.mixing.counters import CallCounter, Stream
from mmmix.models.batch_assignment import iou_rule, say_slow
from mmmix.models.loss_weights import gives_elements
from mmmix.models.merged_assignment import merge_owners
from mmmix.models.prior_targets import PriorTargets, box_loss
from mmmix.structures import Annotations

from .anchor_grid import flat_predictions
from .anchor_targets import BatchTargets


class SampledAnchors(BatchTargets):
    """Mixin for subclasses of ``AnchorHead`` whose sampler is ``RandomSampler``.

    As many anchors are drawn as by that sampler, on their device and without waiting
    for a count: a place that is not filled has weight 0. The draw depends on (seed,
    rank, iteration, call) alone.
    """

    def draws_at_once(self) -> bool:
        """Whether assigner, sampler and losses are known; else the log says so once."""
        sampler = self.sampler
        known = (
            type(sampler) is RandomSampler
            and not sampler.add_gt_as_proposals
            and iou_rule(self.assigner) is not None
            and gives_elements(self.loss_bbox)
        )
        if not known:
            say_slow(self, self.assigner, sampler, self.loss_bbox)
        return known

    def sampled_losses(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: Sequence[Annotations],
        joint: bool,
    ) -> tuple[Tensor, Tensor]:
        """Classification and box loss, each the sum over parts, scalars.

        Args:
            cls_scores: Per level ``(N, num_anchors * C, H, W)``.
            bbox_preds: Per level ``(N, num_anchors * 4, H, W)``.
            parts: K batches of N images.
            joint: Whether one sample serves all parts, drawn from the anchors that are
                positive in a part, and negative in all; parts of weight 0 have no say,
                and only the part of each image that is regressed has box losses.
        """
        shape = (len(parts), len(parts[0].metas))
        anchors, padded, owners = self.batch_owners(cls_scores, parts, RandomSampler)
        owners = owners.unflatten(0, shape)
        sample = self._draw(merge_owners(owners, parts) if joint else owners)
        chosen = sample.drawn.expand(*shape, -1)
        index = chosen.flatten(0, 1)
        targets = PriorTargets.of(
            anchors[index],
            padded,
            owners.flatten(0, 1).gather(1, index),
            parts,
            self.num_classes,
            self.train_cfg['pos_weight'],
        )
        sizes = sample.num_pos, sample.filled.sum(dim=-1) - sample.num_pos
        total = sum(size.clamp(min=1).sum(dim=-1) for size in sizes).float()
        totals = list(total.expand(shape[0]))
        factors = targets.factors.float()[..., None]
        weights = targets.label_weights * sample.filled * factors[..., 0, :]
        loss_cls = self._cls_loss(cls_scores, chosen, targets, weights, totals)
        box_weights = targets.box_weights * sample.filled * factors[..., 1, :]
        return loss_cls, self._box_loss(
            bbox_preds, chosen, targets, box_weights, totals, joint, sample.most_pos
        )

    @torch.no_grad()
    def _draw(self, owners: Tensor) -> Sample:
        """A sample of each row of owners, ``(K, N, A)`` or ``(N, A)``."""
        if not hasattr(self, '_draws'):
            self._draws = CallCounter(Stream.RPN)
        sampler, generator = self.sampler, self._draws.generator(owners.device)
        return draw_sample(
            owners, sampler.num, sampler.pos_fraction, sampler.neg_pos_ub, generator
        )

    def _cls_loss(
        self,
        cls_scores: list[Tensor],
        chosen: Tensor,
        targets: PriorTargets,
        weights: Tensor,
        totals: list[Tensor],
    ) -> Tensor:
        """Sum of the classification losses of all parts."""
        scores = _at(cls_scores, self.cls_out_channels, chosen)
        labels = targets.labels
        binary = type(self.loss_cls) is CrossEntropyLoss and self.use_sigmoid_cls
        if binary and self.cls_out_channels == 1:
            # With targets of the shape of its scores, the loss does not look for them.
            scores, labels = scores[..., 0], (labels < self.num_classes).long()
        losses = 0.0
        for rows, total in zip(zip(scores, labels, weights), totals):
            score, label, weight = (row.flatten(0, 1) for row in rows)
            losses = losses + self.loss_cls(score, label, weight, avg_factor=total)
        return losses

    def _box_loss(
        self,
        bbox_preds: list[Tensor],
        chosen: Tensor,
        targets: PriorTargets,
        weights: Tensor,
        totals: list[Tensor],
        joint: bool,
        most_pos: int,
    ) -> Tensor:
        """Sum of the box losses of all parts; only places of positives have some."""
        deltas = _at(bbox_preds, 4, chosen[..., :most_pos])
        rows = [deltas, targets.priors, targets.boxes, weights[..., None]]
        rows = [row[:, :, :most_pos] for row in rows]
        if joint:
            # Offsets of the other part may be infinite, and are not to be touched.
            first = _regressed(targets.factors)
            rows = [row.gather(0, first.expand(1, *row.shape[1:])) for row in rows]
        rows[3] = rows[3][..., 0]
        return sum(
            box_loss(self, *(row.flatten(0, 1) for row in part), total)
            for part, total in zip(zip(*rows), totals)
        )


def _regressed(factors: Tensor) -> Tensor:
    """``(1, N, 1, 1)``: the part of each image whose box regression counts."""
    return factors[..., 1].argmax(dim=0)[None, :, None, None]


def _at(maps: list[Tensor], width: int, chosen: Tensor) -> Tensor:
    """Predictions of chosen anchors, ``(K, N, S, width)``.

    Args:
        maps: Per level ``(N, num_anchors * width, H, W)``.
        width: Numbers of an anchor.
        chosen: ``(K, N, S)``.
    """
    images = torch.arange(len(maps[0]), device=chosen.device)[:, None]
    return flat_predictions(maps, width)[images, chosen]
