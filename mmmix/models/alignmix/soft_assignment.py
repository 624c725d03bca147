"""Priors that take a share of a class, through a plan (AlignMix)."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional.soft_losses import one_hot
from mmmix.models.alignmix.transport import Transport

_MAX_PRIORS = 200_000


def soft_assignment(shares: Tensor, num_gts: int) -> AssignResult:
    """The assignment that comes nearest to shares, for a sampler.

    A prior is positive if more than half of it is, ignored if no more than half of
    it is known, and negative otherwise. Which box it belongs to is not known, and
    not asked: component 1 is not regressed.

    Args:
        shares: ``(P, C + 1)``: share of each class and, last, of the background.
        num_gts: Number of boxes of the component.
    """
    foreground = shares[:, :-1].sum(dim=1)
    known = shares.sum(dim=1) > 0.5
    gt_inds = (foreground > 0.5).long().masked_fill(~known, -1)
    labels = shares[:, :-1].argmax(dim=1).where(gt_inds > 0, gt_inds.new_tensor(-1))
    return AssignResult(num_gts, gt_inds, foreground, labels)


def all_negative(result: AssignResult) -> AssignResult:
    """An assignment of the same priors, none of them to a box."""
    return AssignResult(
        result.num_gts,
        torch.zeros_like(result.gt_inds),
        result.max_overlaps,
        torch.full_like(result.labels, -1),
    )


def assigned_shares(result: AssignResult, num_classes: int) -> Tensor:
    """The same of a plain assignment: shares of 0 and 1; none of ignored priors.

    Args:
        result: Assignment of P priors.
        num_classes: C.

    Returns:
        ``(P, C + 1)``.
    """
    columns = result.labels.where(
        result.gt_inds > 0, result.labels.new_tensor(num_classes)
    )
    known = (result.gt_inds >= 0).to(result.max_overlaps)
    return one_hot(columns, num_classes + 1) * known[:, None]


@torch.no_grad()
def transported_shares(
    assigner: Any,
    priors: Tensor,
    gt_instances: InstanceData,
    ignored: InstanceData | None,
    transport: Transport,
    num_classes: int,
) -> Tensor:
    """Labels of component 1 that boxes take through a plan.

    As anchor k of a cell takes the labels of anchor k at the cells that the content
    comes from, a box takes those of boxes of its shape there: it is moved by as many
    whole cells as its centre's content was.

    Args:
        assigner: Assigns priors to boxes.
        priors: ``(P, 4)``, on component 0's grid.
        gt_instances: Boxes and labels of component 1.
        ignored: Its ignored boxes.
        transport: The image's.
        num_classes: C.

    Returns:
        ``(P, C + 1)``.
    """
    rows, columns = transport.grid
    stride = priors.new_tensor(transport.stride[::-1])
    limit = torch.tensor([columns - 1, rows - 1], device=priors.device)
    cells = ((priors[:, :2] + priors[:, 2:]) / 2 / stride).long().clamp(min=0)
    cells = cells.minimum(limit)
    index = torch.arange(rows * columns, device=priors.device)
    origins = torch.stack([index % columns, index // columns], dim=1)
    shares = []
    for chunk, cell in zip(
        *(t.split(max(_MAX_PRIORS // len(index), 1)) for t in (priors, cells))
    ):
        moves = ((origins[None] - cell[:, None]) * stride).repeat(1, 1, 2)
        moved = (chunk[:, None] + moves).view(-1, 4)
        result = assigner.assign(InstanceData(priors=moved), gt_instances, ignored)
        labels = assigned_shares(result, num_classes)
        plan = transport.plan[cell[:, 1] * columns + cell[:, 0]].to(labels)
        labels = labels.view(*plan.shape, num_classes + 1)
        with torch.autocast(labels.device.type, enabled=False):
            shares.append(torch.einsum('pj,pjc->pc', plan, labels))
    return torch.cat(shares)
