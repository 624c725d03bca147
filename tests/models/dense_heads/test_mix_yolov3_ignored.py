"""Boxes to ignore in MixYOLOV3Head, against targets made by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmix.structures import Annotations
from tests.helpers import annotations, mixed, total, with_supervision

from .yolov3_reference import HEAD, SIZE, predictions

THR = 0.5
COUNTS = (3, 1, 4)


@pytest.fixture(scope='module')
def heads():
    """A stock head and ours, which heeds boxes to ignore."""
    init_default_scope('mmdet')
    assigner = dict(
        type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0
    )
    cfg = ConfigDict(**HEAD, train_cfg=dict(assigner=assigner))
    ours = dict(copy.deepcopy(cfg), type='MixYOLOV3Head', ignore_iof_thr=THR)
    return MODELS.build(dict(cfg, type='YOLOV3Head')), MODELS.build(ours)


def doubts(seed):
    """Boxes to ignore: some, none, and no entry."""
    boxes = annotations((2,), seed=seed, size=SIZE).gt_instances[0].bboxes
    return [
        InstanceData(bboxes=boxes, labels=torch.zeros(2, dtype=torch.int64)),
        InstanceData(bboxes=boxes[:0], labels=torch.zeros(0, dtype=torch.int64)),
        None,
    ]


def share_inside(anchors, box):
    """Part of each anchor's area inside a box, one anchor after the other."""
    shares = []
    for x1, y1, x2, y2 in anchors.tolist():
        width = min(x2, float(box[2])) - max(x1, float(box[0]))
        height = min(y2, float(box[3])) - max(y1, float(box[1]))
        shares.append(max(width, 0) * max(height, 0) / ((x2 - x1) * (y2 - y1)))
    return torch.tensor(shares)


def confidence_without(head, preds, gt_instances, ignored):
    """Σ of the confidence terms, with the ignored anchors left out of the negatives."""
    sizes = [pred.shape[-2:] for pred in preds]
    anchors = head.prior_generator.grid_priors(sizes, device='cpu')
    loss = 0.0
    for image, (gt, boxes) in enumerate(zip(gt_instances, ignored)):
        flags = head.responsible_flags(sizes, gt.bboxes, 'cpu')
        target, negative = head._get_targets_single(anchors, flags, gt)
        negative = negative.bool()
        for box in () if boxes is None else boxes.bboxes:
            negative &= share_inside(torch.cat(anchors), box) < THR
        pred = torch.cat(
            [
                p[image].permute(1, 2, 0).reshape(-1, head.num_attrib)[:, 4]
                for p in preds
            ]
        )
        terms = torch.nn.functional.binary_cross_entropy_with_logits(
            pred, target[:, 4], reduction='none'
        )
        loss += terms[negative | (target[:, 4] > 0)].sum()
    return loss * head.loss_conf.loss_weight


def test_an_anchor_in_a_box_to_ignore_is_no_negative(heads):
    stock, ours = heads
    batch, preds, ignored = (
        annotations(COUNTS, seed=1, size=SIZE),
        predictions(3),
        doubts(5),
    )
    with_ignored = Annotations(batch.gt_instances, batch.metas, ignored)
    got = total(ours.loss_by_feat(preds, *with_ignored))
    want = total(stock.loss_by_feat(preds, *batch))
    expected = confidence_without(stock, preds, batch.gt_instances, ignored)
    torch.testing.assert_close(got['loss_conf'], expected, rtol=1e-5, atol=0)
    assert got['loss_conf'] < 0.999 * want['loss_conf']
    for name in ('loss_cls', 'loss_xy', 'loss_wh'):
        torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=0)


def test_instances_without_boxes_are_none_beside_others_that_have_some(heads):
    ours = heads[1]
    batch, preds = annotations(COUNTS, seed=1, size=SIZE), predictions(3)
    some = doubts(5)[0]
    got, want = (
        total(ours.loss_by_feat(preds, batch.gt_instances, batch.metas, ignored))
        for ignored in ([InstanceData(), some, None], [None, some, None])
    )
    for name in want:
        assert torch.equal(got[name], want[name])


def test_without_boxes_or_threshold_it_is_the_stock_loss(heads):
    stock, ours = heads
    batch, preds = annotations(COUNTS, seed=1, size=SIZE), predictions(3)
    want = total(stock.loss_by_feat(preds, *batch))
    off = copy.copy(ours)
    off.ignore_iof_thr = -1.0
    nothing = [InstanceData(), doubts(5)[1], None]
    for head, ignored in (
        (ours, None),
        (ours, [None] * 3),
        (ours, [InstanceData()] * 3),
        (ours, nothing),
        (off, doubts(5)),
    ):
        got = total(head.loss_by_feat(preds, batch.gt_instances, batch.metas, ignored))
        for name in want:
            torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=0)


@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix'])
def test_each_component_ignores_its_own_boxes(heads, supervision):
    """With one λ both are Σ_k w_k of the confidence terms of component k."""
    stock, ours = heads
    parts = [annotations(COUNTS, seed=seed, size=SIZE) for seed in (1, 2)]
    ignored = [doubts(5), doubts(6)]
    batch = mixed(*parts, [0.7] * len(COUNTS))
    both = []
    for first, second in zip(*ignored):
        boxes = [[] if one is None else one.bboxes.tolist() for one in (first, second)]
        ids = [0] * len(boxes[0]) + [1] * len(boxes[1])
        both.append(
            InstanceData(
                bboxes=torch.tensor(sum(boxes, [])).reshape(-1, 4),
                labels=torch.zeros(len(ids), dtype=torch.int64),
                mix_ids=torch.tensor(ids, dtype=torch.int64),
            )
        )
    preds = predictions(3)
    head = with_supervision(ours, type=supervision)
    got = total(head.loss_by_feat(preds, batch.gt_instances, batch.metas, both))
    want = sum(
        weight * confidence_without(stock, preds, part.gt_instances, own)
        for weight, part, own in zip((0.7, 0.3), parts, ignored)
    )
    torch.testing.assert_close(got['loss_conf'], want, rtol=1e-5, atol=0)
