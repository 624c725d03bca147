"""Heads whose labels of component 1 travel through a plan (identity 36)."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from mmmix.models.alignmix import (
    AlignedBoxMix,
    AlignMixRoIHead,
    AlignMixRPNHead,
    AlignMixSSDHead,
)
from mmmix.models.alignmix.fields import TRANSPORT
from mmmix.models.alignmix.label_maps import Levels
from mmmix.models.alignmix.soft_assignment import (
    assigned_shares,
    soft_assignment,
    transported_shares,
)
from mmmix.models.alignmix.transport import Transport
from tests.helpers import (
    NUM_CLASSES,
    annotations,
    mixed,
    predictions,
    random_boxes,
    samples_of,
    total,
)
from tests.models.alignmix.test_transport import carried_by_hand, plans
from tests.models.conformance import roi, rpn

LAMS = [0.8, 0.3, 0.5]


def with_plans(batch, plan, grid, stride):
    """The batch, whose images have a plan."""
    transport = Transport(plan, grid, stride)
    metas = [{**meta, TRANSPORT: transport} for meta in batch.metas]
    return batch._replace(metas=metas)


def identity(batch, side=4, stride=16.0):
    """The batch, with the identity as plan."""
    return with_plans(batch, torch.eye(side**2), (side, side), (stride, stride))


TWINS = {
    'MixSSDHead': AlignMixSSDHead,
    'MixRPNHead': AlignMixRPNHead,
    'MixStandardRoIHead': AlignMixRoIHead,
}


def aligned(head, positives='factored'):
    """The same head as AlignMix builds it, with the supervision of its pairs."""
    twin = copy.copy(head)
    twin.__class__ = TWINS[type(head).__name__]
    twin.supervision = AlignedBoxMix()
    twin.mix_positives = positives
    return twin


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


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


# --- Faster R-CNN -----------------------------------------------------------


def rpn_losses(head, maps, batch):
    torch.manual_seed(3)
    return total(head.loss_by_feat(*maps, *batch))


@pytest.mark.parametrize('sampler', [rpn.ALL, rpn.FEW])
def test_rpn_with_an_identity_plan(sampler):
    _, mix = rpn.RPN.build(sampler=sampler)
    head = aligned(mix)
    batches = [annotations(counts, counts[0], 64) for counts in ((3, 2, 0), (2, 0, 3))]
    for batch in batches:
        for instances in batch.gt_instances:
            instances.labels.zero_()
    union, maps = mixed(*batches, LAMS), rpn_maps(3)
    want = rpn_losses(head, maps, union)
    got = rpn_losses(head, maps, identity(union))
    close(got['loss_rpn_cls'], want['loss_rpn_cls'])
    # BoxMix regresses component 0 where it dominates, on the same sample.
    own = rpn_losses(head, maps, mixed(*batches, [0.8] * 3))
    close(got['loss_rpn_bbox'], own['loss_rpn_bbox'])
    assert abs(got['loss_rpn_bbox'] - want['loss_rpn_bbox']) > 1e-3
    # Image by image, an identity plan beside images without one changes nothing.
    some = copy.deepcopy(identity(union))
    del some.metas[0][TRANSPORT]
    close(rpn_losses(head, maps, some)['loss_rpn_cls'], want['loss_rpn_cls'])


def rpn_maps(count):
    generator = torch.Generator().manual_seed(0)
    return [
        [
            torch.randn((count, rpn.PRIORS * c, side, side), generator=generator)
            for side in rpn.SIDES
        ]
        for c in (1, 4)
    ]


def test_rpn_objectness_is_the_carried_share():
    """Soft binary cross-entropy on every anchor, written out."""
    _, mix = rpn.RPN.build()
    head = aligned(mix)
    batches = [annotations(counts, counts[0], 64) for counts in ((2,), (3,))]
    for batch in batches:
        batch.gt_instances[0].labels.zero_()
    plan = plans(2, grid=(4, 4))[0]
    union = with_plans(mixed(*batches, [0.6]), plan, (4, 4), (16.0, 16.0))
    maps = rpn_maps(1)
    got = rpn_losses(head, maps, union)['loss_rpn_cls']
    anchors, _ = head.get_anchors(
        [(side, side) for side in rpn.SIDES], union.metas, device='cpu'
    )
    priors = InstanceData(priors=torch.cat(anchors[0]))
    own, other = (
        assigned_shares(head.assigner.assign(priors, b.gt_instances[0]), 1)
        for b in batches
    )
    levels = Levels([(side, side) for side in rpn.SIDES], [rpn.PRIORS] * 2)
    carried = levels.carry(Transport(plan, (4, 4), (16.0, 16.0)), other)
    # Anchors that are ignored by component 0, and not half an object of the other
    # one, are not sampled.
    known = (own.sum(1) > 0) & (carried.sum(1) > 0.5)
    sampled = known | (own[:, 0] > 0) | (carried[:, 0] > 0.5)
    logits = torch.cat([m.permute(0, 2, 3, 1).flatten() for m in maps[0]])
    log_p = torch.stack([logits.sigmoid().log(), (-logits).sigmoid().log()], dim=1)
    entropy = -((0.6 * own + 0.4 * carried) * log_p).sum(1)
    close(got, entropy[sampled].sum() / sampled.sum())


@pytest.mark.parametrize(
    ('sampler', 'lams'),
    # A random sample depends on the order of the boxes added to the proposals, those
    # of the component that is regressed first.
    [(roi.ALL, LAMS), (roi.NO_BOXES, LAMS), (roi.FEW, [0.8, 0.6, 1.0])],
)
def test_roi_head_with_an_identity_plan(sampler, lams):
    _, mix = roi.ROI.build(sampler=sampler)
    head = aligned(mix)
    batches = [annotations(counts, counts[0], 64) for counts in ((3, 2, 1), (2, 1, 3))]
    union = mixed(*batches, lams)
    rng = np.random.default_rng(0)
    proposals = [InstanceData(bboxes=random_boxes(rng, 30, 64)) for _ in range(3)]
    maps = tuple(torch.rand(3, 4, side, side) for side in (8, 4))

    def losses(batch):
        torch.manual_seed(3)
        return head.loss(maps, proposals, samples_of(batch))

    want, got = losses(union), losses(identity(union))
    close(got['loss_cls'], want['loss_cls'])
    some = copy.deepcopy(identity(union))
    del some.metas[1][TRANSPORT]
    close(losses(some)['loss_cls'], want['loss_cls'])
    # BoxMix regresses component 0 where it dominates, on the same sample.
    own = losses(mixed(*batches, [max(lam, 0.6) for lam in lams]))
    close(got['loss_bbox'], own['loss_bbox'])
    if lams is LAMS:
        assert abs(got['loss_bbox'] - want['loss_bbox']) > 1e-3


def test_roi_classes_are_the_carried_shares():
    """Soft cross-entropy of every RoI, written out."""
    _, mix = roi.ROI.build(sampler=roi.NO_BOXES)
    head = aligned(mix)
    batches = [annotations(counts, counts[0], 64) for counts in ((2,), (3,))]
    transport = Transport(plans(2, grid=(4, 4))[0], (4, 4), (16.0, 16.0))
    union = with_plans(mixed(*batches, [0.3]), *transport)
    boxes = random_boxes(np.random.default_rng(1), 40, 64)
    maps = tuple(torch.rand(1, 4, side, side) for side in (8, 4))
    proposals = [InstanceData(bboxes=boxes)]
    got = head.loss(maps, proposals, samples_of(union))['loss_cls']
    own, other = (b.gt_instances[0] for b in batches)
    assigner = head.bbox_assigner
    first = assigned_shares(
        assigner.assign(InstanceData(priors=boxes), own), NUM_CLASSES
    )
    second = transported_shares(assigner, boxes, other, None, transport, NUM_CLASSES)
    rois = torch.cat([torch.zeros(40, 1), boxes], dim=1)
    log_p = head._bbox_forward(maps, rois)['cls_score'].log_softmax(1)
    close(got, -((0.3 * first + 0.7 * second) * log_p).sum() / 40)
