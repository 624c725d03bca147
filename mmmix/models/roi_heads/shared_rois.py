"""One sample of RoIs for two components (BoxMix)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.structures.bbox import cat_boxes, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.merged_assignment import sample_once, seen_by
from mmmix.structures import Factors

from .sample_weights import SampleWeights, set_sample_weights, weights_of


class ImageComponents(NamedTuple):
    """Annotations of one image, one entry per component, the regressed one first.

    Attributes:
        gt_instances: Boxes and labels.
        ignored: Boxes to ignore, or None.
        weights: λ and 1 - λ, in the order of the components.
    """

    gt_instances: list[InstanceData]
    ignored: list[InstanceData | None]
    weights: list[float]


class AssignedPriors(NamedTuple):
    """What RoIs are drawn from.

    Attributes:
        priors: ``(P, 4)``: added boxes and proposals.
        assigned: Their assignment to each component.
    """

    priors: Tensor
    assigned: list[AssignResult]


class SharedRoIs(NamedTuple):
    """Sampled RoIs of one image.

    Attributes:
        rois: ``(n, 4)`` boxes.
        views: Per component, the n RoIs as it sees them, with their weights.
        orders: Per component, ``(n,)``: which of ``rois`` its samples are.
        indices: ``(n,)``: which of the candidates they are.
        shares: ``(n, C + 1)``: what a plan of ``AlignMix`` makes of component 1's
            labels, each class and the background; None without a plan.
    """

    rois: Tensor
    views: list[SamplingResult]
    orders: list[Tensor]
    indices: Tensor
    shares: Tensor | None = None


def assign_rois(
    assigner: Any, sampler: Any, proposals: Tensor, components: ImageComponents
) -> AssignedPriors:
    """Assign proposals to each component.

    Args:
        assigner: The head's assigner.
        sampler: The head's sampler; if it adds boxes to the proposals, those of
            all components of positive weight are added.
        proposals: ``(P, 4)``.
        components: The image's.
    """
    gt_instances, ignored, weights = components
    blocks, own = [], [None] * len(weights)
    if getattr(sampler, 'add_gt_as_proposals', False):
        blocks, own = _box_blocks(gt_instances, weights)
    assigned = [
        _assign(assigner, blocks, k, proposals, *pair)
        for k, *pair in zip(own, gt_instances, ignored)
    ]
    return AssignedPriors(cat_boxes([*blocks, proposals]), assigned)


def share_rois(
    sampler: Any, candidates: AssignedPriors, components: ImageComponents, **kwargs: Any
) -> SharedRoIs:
    """Draw one sample of RoIs for all components.

    Args:
        sampler: The head's sampler.
        candidates: What to draw from.
        components: The image's.
        **kwargs: Passed on to the sampler.

    Raises:
        TypeError: If the sampler mines hard samples.
    """
    priors, assigned = candidates
    gt_instances, _, weights = components
    sample = sample_once(sampler, assigned, weights, priors, gt_instances, **kwargs)
    indices = torch.cat([sample.pos_inds, sample.neg_inds])
    views, orders = [], []
    for result, instances, weight in zip(assigned, gt_instances, weights):
        view = seen_by(sample, result, priors, instances, keep_ignored=True)
        owners = result.gt_inds[indices]
        order = (owners <= 0).long().argsort(stable=True)
        labels = weight * (owners[order] >= 0).float()
        boxes = weights_of(view, instances, Factors(1.0, 1.0)).boxes
        set_sample_weights(view, SampleWeights(labels, boxes))
        views.append(view)
        orders.append(order)
    return SharedRoIs(sample.priors, views, orders, indices)


def _box_blocks(
    gt_instances: list[InstanceData], weights: list[float]
) -> tuple[list[Tensor], list[int | None]]:
    """Boxes to add to the proposals, and which block each component owns.

    Components with the same boxes own one block, so that a sample mixed with
    itself is the stock one; a component of weight 0 adds nothing.
    """
    blocks: list[Tensor] = []
    own: list[int | None] = []
    for instances, weight in zip(gt_instances, weights):
        boxes = instances.bboxes
        same = [torch.equal(*map(get_box_tensor, (boxes, block))) for block in blocks]
        if any(same):
            own.append(same.index(True))
        elif weight > 0:
            own.append(len(blocks))
            blocks.append(boxes)
        else:
            own.append(None)
    return blocks, own


def _assign(
    assigner: Any,
    blocks: list[Tensor],
    own: int | None,
    proposals: Tensor,
    instances: InstanceData,
    ignored: InstanceData | None,
) -> AssignResult:
    """Assign all blocks and the proposals to one component.

    As in the stock sampler, a component's own boxes are assigned to themselves
    and do not compete with the proposals; the boxes of the other component are
    like proposals to it.
    """
    if own is None:
        priors = InstanceData(priors=cat_boxes([*blocks, proposals]))
        return assigner.assign(priors, instances, ignored)
    others = cat_boxes([*blocks[:own], *blocks[own + 1 :], proposals])
    result = assigner.assign(InstanceData(priors=others), instances, ignored)
    start = sum(len(block) for block in blocks[:own])
    inserted = dict(
        gt_inds=torch.arange(1, len(instances) + 1, device=result.gt_inds.device),
        max_overlaps=result.max_overlaps.new_ones(len(instances)),
        labels=instances.labels,
    )
    for field, values in inserted.items():
        rest = getattr(result, field)
        setattr(result, field, torch.cat([rest[:start], values, rest[start:]]))
    return result
