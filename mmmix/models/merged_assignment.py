"""One sample of anchors or proposals for two components (BoxMix).

BoxMix gives a prior (an anchor or a proposal) one soft label. A head that
samples its priors must therefore draw once, from an assignment that knows both
components, and then look at that one sample from either side. Two draws would
be LossMix.

P priors; ``gt_inds`` of an assignment is -1 for ignored, 0 for negative and the
1-based index of the assigned box for positive priors.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import (
    OHEMSampler,
    SamplingResult,
    ScoreHLRSampler,
)
from mmdet.structures.bbox import cat_boxes
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.mixing.untraced import untraced
from mmmix.structures import LOSS_FACTORS, Annotations

from .prior_targets import factors_of


@untraced
def regressed_first(parts: list[Annotations]) -> list[Annotations]:
    """Regroup two parts image by image, the one that is regressed first.

    Args:
        parts: Two batches of N images, with their factors.

    Returns:
        Two batches of N images: of each image the component whose factor of the box
        regression is not 0, and the other one. ``ignored`` is a list.
    """
    first = [0 if meta[LOSS_FACTORS].reg else 1 for meta in parts[0].metas]
    return [_pick(parts, first), _pick(parts, [1 - index for index in first])]


def _pick(parts: list[Annotations], choice: list[int]) -> Annotations:
    """The batch whose image i is that of part ``choice[i]``."""
    chosen = [(parts[k], i) for i, k in enumerate(choice)]
    return Annotations(
        [part.gt_instances[i] for part, i in chosen],
        [part.metas[i] for part, i in chosen],
        [part.ignored and part.ignored[i] for part, i in chosen],
    )


def merge_assignments(
    assigned: Sequence[AssignResult], weights: Sequence[float]
) -> AssignResult:
    """Assignment of the same priors to the union of the components' boxes.

    A prior is positive if it is positive in a component, assigned to the box of
    the first such component; negative if it is negative in all components; and
    ignored otherwise. A component of weight 0 has no say, so that λ = 0 and
    λ = 1 give the stock assignment of the only component left.

    Args:
        assigned: One assignment of P priors per component, dominant first.
        weights: One weight per component, at least one of them positive.

    Returns:
        An assignment whose boxes are those of all components in order;
        ``max_overlaps`` is the largest overlap with any of them.
    """
    starts = [0]
    for result in assigned:
        starts.append(starts[-1] + result.num_gts)
    active = [
        (result, start)
        for result, start, weight in zip(assigned, starts, weights)
        if weight > 0
    ]
    negative = torch.stack([result.gt_inds == 0 for result, _ in active]).all(dim=0)
    gt_inds = negative.long() - 1
    labels = torch.full_like(active[0][0].labels, -1)
    for result, start in reversed(active):
        positive = result.gt_inds > 0
        gt_inds = torch.where(positive, result.gt_inds + start, gt_inds)
        labels = torch.where(positive, result.labels, labels)
    overlaps = torch.stack([result.max_overlaps for result, _ in active]).amax(dim=0)
    return AssignResult(starts[-1], gt_inds, overlaps, labels)


def merge_owners(owners: Tensor, parts: Sequence[Annotations]) -> Tensor:
    """The same of all images at once, ``(N, P)``: 1, 0 or -1.

    Args:
        owners: ``(K, N, P)``, boxes of the priors in each part.
        parts: K batches of N images, with factors.
    """
    says = (factors_of(parts, owners)[..., 0] > 0)[..., None]
    positive = ((owners > 0) & says).any(dim=0)
    negative = ((owners == 0) | ~says).all(dim=0)
    return torch.where(positive, 1, negative.long() - 1)


def sample_once(
    sampler: Any,
    assigned: Sequence[AssignResult],
    weights: Sequence[float],
    priors: Tensor,
    gt_instances: Sequence[InstanceData],
    **kwargs: Any,
) -> SamplingResult:
    """Draw one sample for all components with a head's own sampler.

    Args:
        sampler: A sampler of mmdet. Boxes are not added to the priors, which
            have to contain them already where that is wanted.
        assigned: One assignment of the priors per component, dominant first.
        weights: One weight per component.
        priors: ``(P, 4)``.
        gt_instances: Boxes and labels of each component.
        **kwargs: Passed on to the sampler.

    Raises:
        TypeError: If the sampler mines hard samples.
    """
    _check_sampler(sampler)
    # A copy, because the head's other losses use the same sampler.
    sampler = copy.copy(sampler)
    sampler.add_gt_as_proposals = False
    union = InstanceData(
        bboxes=cat_boxes([instances.bboxes for instances in gt_instances]),
        labels=torch.cat([instances.labels for instances in gt_instances]),
    )
    return sampler.sample(
        merge_assignments(assigned, weights),
        InstanceData(priors=priors),
        union,
        **kwargs,
    )


def seen_by(
    sample: SamplingResult,
    assigned: AssignResult,
    priors: Tensor,
    gt_instances: InstanceData,
    keep_ignored: bool = False,
) -> SamplingResult:
    """A sample of several components as one of them sees it.

    Args:
        sample: See :func:`sample_once`.
        assigned: The component's assignment of the priors.
        priors: ``(P, 4)``.
        gt_instances: The component's boxes.
        keep_ignored: Whether sampled priors that the component ignores stay,
            among its negatives, or are left out.

    Returns:
        Its positives and negatives, in the order of the sample, with the
        ``avg_factor`` of the whole sample.
    """
    indices = torch.cat([sample.pos_inds, sample.neg_inds])
    owners = assigned.gt_inds[indices]
    rest = owners <= 0 if keep_ignored else owners == 0
    result = SamplingResult(
        pos_inds=indices[owners > 0],
        neg_inds=indices[rest],
        priors=priors,
        gt_bboxes=gt_instances.bboxes,
        assign_result=assigned,
        gt_flags=priors.new_zeros(len(priors), dtype=torch.uint8),
    )
    result.avg_factor = sample.avg_factor
    return result


def _check_sampler(sampler: Any) -> None:
    """Refuse samplers that rank priors by the loss of a hard label."""
    parts = [sampler]
    parts += [getattr(sampler, f'{side}_sampler', None) for side in ('pos', 'neg')]
    for part in parts:
        if isinstance(part, (OHEMSampler, ScoreHLRSampler)):
            raise TypeError(
                f'BoxMix cannot sample with {type(part).__name__}, which ranks '
                'samples by the loss of a hard label where BoxMix has soft ones; '
                "use sampler=dict(type='RandomSampler', ...), or "
                "supervision=dict(type='LossMix')"
            )
