"""Weights of sampled RoIs in the losses of a box head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmdet.models.task_modules.samplers import SamplingResult
from torch import Tensor, nn

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
