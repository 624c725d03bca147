"""Weights of sampled RoIs in the losses of a box head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from torch import Tensor, nn

from mmmix.models.prior_targets import box_loss
from mmmix.models.supervisions import Losses

from .batch_rois import DrawnRoIs
from .sample_weights import get_sample_weights


class WeightedBoxLoss:
    """Mixin for subclasses of ``BBoxHead``: losses that honour sample weights.

    A sampling result may carry a factor for each of its RoIs. The normalisers
    stay stock, the number of sampled RoIs: a RoI of weight 0 counts and adds
    nothing. Without weights the losses are the stock ones.
    """

    def loss_and_target(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor | None,
        rois: Tensor,
        sampling_results: list[SamplingResult],
        rcnn_train_cfg: Any,
        concat: bool = True,
        reduction_override: str | None = None,
    ) -> dict[str, Any]:
        """Losses and targets of a batch; arguments as ``BBoxHead``.

        Without ``bbox_pred`` there is no regression loss.
        """
        weights = get_sample_weights(sampling_results)
        if weights is None:
            return super().loss_and_target(
                cls_score,
                bbox_pred,
                rois,
                sampling_results,
                rcnn_train_cfg,
                concat=concat,
                reduction_override=reduction_override,
            )
        targets = self.get_targets(sampling_results, rcnn_train_cfg)
        labels, label_weights, box_targets, box_weights = targets
        with _scaled_weights(self.loss_cls, weights.labels):
            losses = self.loss(
                cls_score,
                bbox_pred,
                rois,
                labels,
                label_weights,
                box_targets,
                box_weights * weights.boxes[:, None],
                reduction_override=reduction_override,
            )
        return dict(loss_bbox=losses, bbox_targets=targets)

    def batch_loss(self, outputs: dict[str, Tensor], sample: DrawnRoIs) -> Losses:
        """The sum over parts of the losses of RoIs that were drawn for all at once.

        Args:
            outputs: ``cls_score`` and ``bbox_pred`` of the M RoIs.
            sample: What they are, and should be.

        Returns:
            ``loss_cls``, ``loss_bbox`` and ``acc``, the parts' accuracies each with
            its share, or if they are joint that of the regressed one; without RoIs
            ``loss_bbox`` alone.
        """
        scores, deltas = outputs['cls_score'], outputs['bbox_pred']
        if not len(scores):
            return dict(loss_bbox=deltas.sum())
        targets, ranks = sample.targets, torch.arange(len(scores), device=scores.device)
        totals = sample.drawn.sum(dim=1).clamp(min=1)
        cls, reg = (targets.factors * sample.drawn[..., None]).unbind(dim=-1)
        loss_cls = sum(
            self.loss_cls(scores, label, weight, avg_factor=total)
            for label, weight, total in zip(
                targets.labels, targets.label_weights * cls, totals
            )
        )
        rows = [targets.priors, targets.boxes, targets.box_weights * reg]
        rows += [targets.labels, sample.drawn]
        if sample.joint:
            # Offsets of the other part may be infinite, and are not to be touched.
            first = targets.factors[..., 1].argmax(dim=0), ranks
            rows = [row[first][None] for row in rows]
        deltas = deltas.view(len(scores), -1, 4)
        loss_bbox = acc = 0.0
        right = scores.argmax(dim=1)
        for *row, label, drawn, total, share in zip(*rows, totals, sample.shares):
            place = label * 0 if self.reg_class_agnostic else label % self.num_classes
            own = deltas[ranks, place]
            loss_bbox = loss_bbox + box_loss(self, own, *row, total)
            hits = ((right == label) * drawn).sum(dim=0, keepdim=True)
            acc = acc + hits * (100 / total) * (1 if sample.joint else share)
        return dict(loss_cls=loss_cls, acc=acc, loss_bbox=loss_bbox)


@contextmanager
def _scaled_weights(loss: nn.Module, factors: Tensor) -> Iterator[None]:
    """Scale the sample weights that reach a loss.

    ``BBoxHead.loss`` takes its normaliser from the weights that it passes on, the
    number of those above 0. So the factors may only come in after it has counted.
    """

    def scale(module: nn.Module, args: tuple) -> tuple:
        predictions, labels, weights = args
        return predictions, labels, weights * factors

    handle = loss.register_forward_pre_hook(scale)
    try:
        yield
    finally:
        handle.remove()
