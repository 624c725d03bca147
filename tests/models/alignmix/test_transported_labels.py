"""Heads whose labels of component 1 travel through a plan (identity 36)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from mmmix.models.alignmix.label_maps import Levels
from mmmix.models.alignmix.soft_assignment import (
    assigned_shares,
    soft_assignment,
    transported_shares,
)
from mmmix.models.alignmix.transport import Transport
from mmmix.studies.speed.operation_counter import OperationCounter
from tests.helpers import (
    annotations,
    mixed,
    predictions,
    random_boxes,
    total,
)
from tests.models.alignmix.plans import carried_by_hand, plans

from .planned import LAMS, aligned, close, identity, with_plans

# --- layout of the anchors --------------------------------------------------


def test_labels_travel_anchor_by_anchor():
    """Anchor k of a cell takes the labels of anchor k of other cells."""
    levels = Levels([(6, 8), (3, 4), (2, 2)], [2, 3, 1])
    transport = Transport(plans(3)[0], (3, 4), (8.0, 8.0))
    shares = torch.rand(6 * 8 * 2 + 3 * 4 * 3 + 4, 5)
    got = levels.carry(transport, shares).split([96, 36, 4])
    for (h, w), k, level, result in zip(
        levels.sizes, levels.priors, shares.split([96, 36, 4]), got
    ):
        level, result = (t.view(h, w, k, 5) for t in (level, result))
        if h == 2:
            continue
        for anchor in range(k):
            maps = level[:, :, anchor].permute(2, 0, 1)
            want = carried_by_hand(transport.plan, maps, (3, 4))
            close(result[:, :, anchor].permute(2, 0, 1), want)


# --- SSD --------------------------------------------------------------------


@pytest.fixture(scope='module')
def ssd_batches():
    return annotations((3, 2, 0), seed=1), annotations((2, 0, 3), seed=2)


@pytest.mark.parametrize('positives', ['dominant', 'any', 'factored'])
def test_ssd_with_an_identity_plan(heads, ssd_batches, positives):
    """BoxMix's classification; the regression is that of component 0 alone."""
    stock, mix = heads
    head = aligned(mix, positives)
    union, maps = mixed(*ssd_batches, LAMS), predictions(3)
    want = total(head.loss_by_feat(*maps, *union))
    got = total(head.loss_by_feat(*maps, *identity(union, 10, 30.0)))
    close(got['loss_cls'], want['loss_cls'])
    own = total(stock.loss_by_feat(*maps, *ssd_batches[0]))
    close(got['loss_bbox'], own['loss_bbox'])


def test_labels_travel_without_a_wait(heads, ssd_batches):
    """Finer and coarser levels than the plan's."""
    head = aligned(heads[1])
    union = mixed(*ssd_batches, LAMS)
    union = with_plans(union, plans(1, grid=(5, 5))[0], (5, 5), (60.0, 60.0))
    with OperationCounter() as counter:
        head.loss_by_feat(*predictions(3), *union)
    lines = {place.line for place in counter.reads}
    assert not [line for line in lines if 'alignmix' in line or 'soft_losses' in line]


@pytest.mark.parametrize('positives', ['dominant', 'any', 'factored'])
def test_ssd_with_all_weight_on_component_0(heads, ssd_batches, positives):
    """λ = 1 is the stock loss whatever the plan is; 'any' counts other positives."""
    stock, mix = heads
    head = aligned(mix, positives)
    union, maps = mixed(*ssd_batches, [1.0] * 3), predictions(3)
    plan = plans(1, grid=(5, 5))[0]
    got = total(
        head.loss_by_feat(*maps, *with_plans(union, plan, (5, 5), (60.0, 60.0)))
    )
    want = total(stock.loss_by_feat(*maps, *ssd_batches[0]))
    for name in want if positives != 'any' else ['loss_bbox']:
        close(got[name], want[name])


def test_ssd_moves_labels_with_a_permutation(heads):
    """A plan that moves everything by a cell is as boxes moved by a cell.

    The box is matched on levels where a cell of the plan is a whole number of cells.
    """
    _, mix = heads
    head = aligned(mix)
    none, some, moved = (annotations((n,), 4) for n in (0, 1, 1))
    step = 32.0  # of a level of 10 cells
    some.gt_instances[0].bboxes = torch.tensor([[70.0, 80.0, 165.0, 170.0]])
    moved.gt_instances[0].bboxes = torch.tensor(
        [[70.0 + step, 80.0, 165.0 + step, 170.0]]
    )
    index = torch.arange(100).view(10, 10)
    origin = torch.cat([index[:, :1], index[:, :-1]], dim=1).flatten()
    plan = torch.eye(100)[origin]
    scores, deltas = predictions(1)
    got, want = (
        total(head.loss_by_feat(scores, deltas, *batch))['loss_cls']
        for batch in (
            with_plans(mixed(none, some, [0.0]), plan, (10, 10), (32.0, 32.0)),
            mixed(none, moved, [0.0]),
        )
    )
    close(got, want)


# --- boxes ------------------------------------------------------------------


def test_shares_of_assignments():
    gt_inds = torch.tensor([2, 0, -1, 1])
    overlaps = torch.tensor([0.9, 0.1, 0.0, 0.6])
    result = AssignResult(2, gt_inds, overlaps, torch.tensor([4, -1, -1, 0]))
    shares = assigned_shares(result, 5)
    want = torch.zeros(4, 6)
    want[0, 4] = want[1, 5] = want[3, 0] = 1
    assert torch.equal(shares, want)
    nearest = soft_assignment(shares, 2)
    assert nearest.gt_inds.tolist() == [1, 0, -1, 1]
    assert nearest.labels.tolist() == [4, -1, -1, 0]
    soft = torch.tensor([[0.3, 0.3, 0.4], [0.3, 0.2, 0.5], [0.1, 0.1, 0.2]])
    assert soft_assignment(soft, 1).gt_inds.tolist() == [1, 0, -1]


def test_boxes_take_the_labels_of_boxes_of_their_shape(monkeypatch):
    """By a loop over the cells; chunks change nothing."""
    rng = np.random.default_rng(0)
    gts = InstanceData(bboxes=random_boxes(rng, 3, 64), labels=torch.tensor([1, 0, 1]))
    boxes = gts.bboxes.repeat(4, 1) + torch.randn(12, 4) * 2
    assigner = MaxIoUAssigner(0.4, 0.4, 0.4, match_low_quality=False)
    plan = (plans(5, grid=(4, 4))[0] + torch.eye(16)) / 2
    transport = Transport(plan, (4, 4), (16.0, 16.0))
    want = torch.zeros(12, 3)
    for p, box in enumerate(boxes):
        column, row = (((box[:2] + box[2:]) / 2) // 16).long().tolist()
        for cell in range(16):
            move = torch.tensor([cell % 4 - column, cell // 4 - row] * 2) * 16
            overlaps = bbox_overlaps((box + move)[None], gts.bboxes)[0]
            label = gts.labels[overlaps.argmax()] if overlaps.max() >= 0.4 else 2
            want[p, label] += transport.plan[row * 4 + column, cell]
    arguments = (assigner, boxes, gts, None, transport, 2)
    close(transported_shares(*arguments), want)
    monkeypatch.setattr('mmmix.models.alignmix.soft_assignment._MAX_PRIORS', 40)
    close(transported_shares(*arguments), want)
    assert want[:, :2].sum() > 0.5
    empty = transported_shares(assigner, boxes[:0], gts, None, transport, 2)
    assert empty.shape == (0, 3)
