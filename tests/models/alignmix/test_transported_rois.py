"""Faster R-CNN's labels of component 1 travel through a plan (identity 36)."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.models.alignmix.fields import TRANSPORT
from mmmix.models.alignmix.label_maps import Levels
from mmmix.models.alignmix.soft_assignment import assigned_shares, transported_shares
from mmmix.models.alignmix.transport import Transport
from tests.helpers import (
    NUM_CLASSES,
    annotations,
    mixed,
    random_boxes,
    samples_of,
    total,
)
from tests.models.alignmix.plans import plans
from tests.models.conformance import roi, rpn

from .planned import LAMS, aligned, close, identity, with_plans


def rpn_losses(head, maps, batch):
    torch.manual_seed(3)
    return total(head.loss_by_feat(*maps, *batch))


@pytest.mark.parametrize('sampler', [rpn.ALL, rpn.FEW])
def test_rpn_with_an_identity_plan(sampler):
    _, mix = rpn.RPN.build(sampler=sampler)
    head = aligned(mix)
    if sampler is rpn.FEW:
        # Labels travel image by image, where mmdet's sampler draws.
        head.draws_at_once = lambda: False
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
            torch.randn((count, rpn.RPN.priors * c, side, side), generator=generator)
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
    levels = Levels([(side, side) for side in rpn.SIDES], [rpn.RPN.priors] * 2)
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
    if sampler is roi.FEW:
        # Labels travel image by image, where mmdet's sampler draws.
        head.draws_at_once = lambda *_: False
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
