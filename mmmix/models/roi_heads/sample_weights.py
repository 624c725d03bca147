"""What each sampled RoI of an image weighs in the losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.box_factors import box_factors, weighs_boxes
from mmmix.structures import LOSS_FACTORS, Factors

_SAMPLE_WEIGHTS = 'sample_weights'


class SampleWeights(NamedTuple):
    """Factors of sampled RoIs, positives first, as ``SamplingResult`` has them.

    Attributes:
        labels: ``(num_samples,)`` float32, of the classification terms.
        boxes: ``(num_samples,)`` float32, of the box regression terms.
    """

    labels: Tensor
    boxes: Tensor


def set_sample_weights(result: SamplingResult, weights: SampleWeights) -> None:
    """Let a sampling result carry weights to the box head."""
    setattr(result, _SAMPLE_WEIGHTS, weights)


def get_sample_weights(results: Sequence[SamplingResult]) -> SampleWeights | None:
    """Weights of all RoIs of a batch, in their order; None if it has none."""
    weights = [getattr(result, _SAMPLE_WEIGHTS, None) for result in results]
    if not weights or weights[0] is None:
        return None
    return SampleWeights(*(torch.cat(parts) for parts in zip(*weights)))


class WeighingSampler:
    """A sampler whose results carry the weights of their image and boxes.

    ``loss_factors`` of the metainfo are those of all samples of an image,
    ``box_weights`` of ``gt_instances`` that of the positives assigned to a box,
    ``regression_weights`` that of their box regression alone. The draw itself is
    the wrapped sampler's.

    Args:
        sampler: A sampler of mmdet.
        metas: Metainfo of the images in the order in which they are sampled.
    """

    def __init__(self, sampler: Any, metas: Iterable[dict[str, Any]]) -> None:
        self._sampler = sampler
        self._metas = iter(metas)

    def sample(
        self,
        assign_result: Any,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        **kwargs: Any,
    ) -> SamplingResult:
        """The wrapped sampler's sample of the next image, weighed."""
        result = self._sampler.sample(
            assign_result, pred_instances, gt_instances, **kwargs
        )
        meta = next(self._metas)
        if LOSS_FACTORS in meta or weighs_boxes(gt_instances):
            factors = meta.get(LOSS_FACTORS, Factors(1.0, 1.0))
            set_sample_weights(result, weights_of(result, gt_instances, factors))
        return result


def weights_of(
    result: SamplingResult, gt_instances: InstanceData, factors: Factors
) -> SampleWeights:
    """Factors of the samples of an image, times those of their boxes."""
    count = len(result.pos_inds) + len(result.neg_inds)
    weights = result.pos_priors.new_ones(count, 2, dtype=torch.float32)
    owners = result.pos_assigned_gt_inds
    weights[: len(owners)] = box_factors(gt_instances)[owners]
    return SampleWeights(weights[:, 0] * factors.cls, weights[:, 1] * factors.reg)
