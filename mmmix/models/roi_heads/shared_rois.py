"""One sample of RoIs for two components (BoxMix)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.structures.bbox import cat_boxes, get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.alignmix.soft_assignment import soft_assignment
from mmmix.models.merged_assignment import sample_once, seen_by

from .sample_weights import SampleWeights, regression_factors, set_sample_weights


class SharedRoIs(NamedTuple):
    """Sampled RoIs of one image.

    Attributes:
        rois: ``(n, 4)`` boxes.
        views: Per component, the n RoIs as it sees them, with their weights.
        orders: Per component, ``(n,)``: which of ``rois`` its samples are.
        shares: ``(n, C + 1)``: what a plan makes of component 1's labels, each
            class and the background; None without a plan.
    """

    rois: Tensor
    views: list[SamplingResult]
    orders: list[Tensor]
    shares: Tensor | None = None


def share_rois(
    assigner: Any,
    sampler: Any,
    proposals: Tensor,
    gt_instances: list[InstanceData],
    ignored: list[InstanceData | None],
    weights: list[float],
    carry: Callable[..., Tensor] | None = None,
    **kwargs: Any,
) -> SharedRoIs:
    """Assign proposals to each component and draw one sample from all.

    Args:
        assigner: The head's assigner.
        sampler: The head's sampler; if it adds boxes to the proposals, those of
            all components of positive weight are added.
        proposals: ``(P, 4)``.
        gt_instances: Boxes and labels of each component, dominant first.
        ignored: Ignored boxes of each component.
        weights: Weight of each component.
        carry: Labels of component 1 that RoIs take through a plan, if there is one:
            called with the assigner, ``(P, 4)`` RoIs, its boxes and its ignored
            boxes, it gives ``(P, C + 1)`` shares.
        **kwargs: Passed on to the sampler.

    Raises:
        TypeError: If the sampler mines hard samples.
    """
    blocks, own = [], [None] * len(weights)
    if getattr(sampler, 'add_gt_as_proposals', False):
        blocks, own = _box_blocks(gt_instances, weights)
    assigned = [
        _assign(assigner, blocks, k, proposals, *pair)
        for k, *pair in zip(own, gt_instances, ignored)
    ]
    candidates = cat_boxes([*blocks, proposals])
    shares = None
    if carry is not None:
        shares = carry(assigner, candidates, gt_instances[1], ignored[1])
        assigned[1] = soft_assignment(shares, len(gt_instances[1]))
    sample = sample_once(sampler, assigned, weights, candidates, gt_instances, **kwargs)
    indices = torch.cat([sample.pos_inds, sample.neg_inds])
    views, orders = [], []
    for result, instances, weight in zip(assigned, gt_instances, weights):
        view = seen_by(sample, result, candidates, instances, keep_ignored=True)
        owners = result.gt_inds[indices]
        order = (owners <= 0).long().argsort(stable=True)
        labels = weight * (owners[order] >= 0).float()
        boxes = regression_factors(view, instances)
        set_sample_weights(view, SampleWeights(labels, boxes))
        views.append(view)
        orders.append(order)
    if shares is not None:
        shares = shares[indices]
    return SharedRoIs(sample.priors, views, orders, shares)


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
