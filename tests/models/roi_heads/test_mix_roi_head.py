"""What is particular to MixStandardRoIHead: one draw of RoIs, predicted once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from tests.helpers import (
    NUM_CLASSES,
    annotations,
    mixed,
    random_boxes,
    samples_of,
    with_supervision,
)
from tests.models.conformance.case import approximates, close
from tests.models.conformance.cases import SUPERVISIONS
from tests.models.conformance.roi import FEW, ROI, SIZE, Spy, predictor
from tests.models.dense_heads.reference import offset
from tests.models.dense_heads.rpn_reference import assign

from .reference import log_softmax


@pytest.fixture(scope='module')
def heads():
    """Heads that sample every RoI."""
    return ROI.build()


@pytest.fixture(scope='module')
def sides():
    return ROI.sides()


@pytest.fixture(scope='module')
def preds():
    """Feature maps and proposals."""
    return ROI.predictions()


def test_predictions_are_stock(heads, sides, preds):
    stock, mix = heads
    samples = samples_of(sides[0])
    for sample in samples:
        sample.set_metainfo(dict(scale_factor=(1.0, 1.0), ori_shape=(SIZE, SIZE)))
    got, want = (h.predict(*preds, samples) for h in (mix, stock))
    for g, w in zip(got, want):
        assert len(w) == 10
        assert torch.equal(g.bboxes, w.bboxes)
        assert torch.equal(g.scores, w.scores)


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
def test_proposals_and_samples_stay_as_they_were(heads, sides, preds, supervision):
    head = with_supervision(heads[1], **supervision)
    feats, proposals = preds
    given = [p.clone() for p in proposals]
    batch = mixed(*sides, (0.9, 0.3, 0.5))
    samples = samples_of(batch)
    head.loss(feats, given, samples)
    for g, p in zip(given, proposals):
        assert sorted(g.keys()) == ['bboxes', 'labels', 'scores']
        assert torch.equal(g.bboxes, p.bboxes)
    for sample in samples:
        assert sorted(sample.gt_instances.keys()) == ['bboxes', 'labels', 'mix_ids']
        assert 'component_weight' not in sample.metainfo
    assert type(head.bbox_sampler).__name__ == 'RandomSampler'
    assert head.bbox_sampler.add_gt_as_proposals
    assert not head.bbox_head.loss_cls._forward_pre_hooks


@pytest.mark.parametrize('lam', [0.7, 0.5])
def test_boxmix_draws_once_from_the_merged_assignment(sides, preds, lam):
    """One sample of 16 RoIs an image, a quarter of them positive somewhere."""
    spy = Spy(ROI.boxmix(ROI.build(sampler=FEW)[1]))
    ROI.losses(spy.head, preds, mixed(*sides, [lam] * 3))
    ((rois, _),) = spy.passes
    only_other = 0
    for i in range(3):
        mine = rois[rois[:, 0] == i, 1:].numpy()
        assert len(mine) == 16
        first, second = (
            assign(mine, batch.gt_instances[i].bboxes.numpy(), 0.5, 0.5) >= 0
            for batch in (sides if lam > 0.5 else sides[::-1])
        )
        assert (first | second).sum() == 4
        only_other += (second & ~first).sum()
    assert only_other


def test_boxmix_predicts_its_rois_once(heads, sides, preds):
    """The accuracy of the reference is far from 0 and 1, so that it says something."""
    spy, lams = Spy(ROI.boxmix(heads[1])), (0.9, 0.3, 0.5)
    got = ROI.losses(spy.head, preds, mixed(*sides, lams))
    assert len(spy.passes) == 1
    assert 20 < ROI.reference(heads[1], preds, sides, lams)['acc'] < 90
    assert 20 < got['acc'] < 90


@pytest.mark.parametrize('counts', [(3, 0), (0, 3), (0, 0)])
@pytest.mark.parametrize('num_proposals', [20, 0])
def test_boxmix_with_empty_components(heads, preds, counts, num_proposals):
    """Identity 15: an empty component is background."""
    sides = [annotations((count,), seed=1, size=SIZE) for count in counts]
    bboxes = random_boxes(np.random.default_rng(3), num_proposals, SIZE)
    one = preds[0], [InstanceData(bboxes=bboxes)]
    got = ROI.totals(ROI.boxmix(heads[1]), one, mixed(*sides, [0.7]))
    assert torch.isfinite(got['loss_bbox'])
    if any(counts) or num_proposals:
        approximates(got, ROI.reference(heads[1], one, sides, [0.7]), ROI.rtol)
    else:
        assert got.keys() == {'loss_bbox'}
        assert got['loss_bbox'] == 0


def test_boxmix_of_equal_boxes_with_other_labels(heads, sides, preds):
    """A box that both components have is one RoI with a soft label."""
    twin = annotations((3, 1, 4), seed=1, size=SIZE)
    for instances in twin.gt_instances:
        instances.labels = (instances.labels + 1) % NUM_CLASSES
    batch_a, feats = sides[0], preds[0]
    empty = [InstanceData(bboxes=torch.zeros(0, 4)) for _ in range(3)]
    spy = Spy(with_supervision(heads[1], type='BoxMix'))
    got = ROI.losses(spy.head, (feats, empty), mixed(batch_a, twin, [0.7] * 3))
    assert len(spy.passes[0][0]) == 8
    want = 0.0
    for i, instances in enumerate(batch_a.gt_instances):
        logits, _ = predictor(heads[1], feats)(i, instances.bboxes.numpy())
        rows, label = np.arange(len(instances)), instances.labels.numpy()
        log_p = log_softmax(logits)
        want -= 0.7 * log_p[rows, label].sum()
        want -= 0.3 * log_p[rows, (label + 1) % NUM_CLASSES].sum()
    assert got['loss_cls'].item() == pytest.approx(want / 8, rel=2e-5)


def test_boxmix_refuses_to_mine(sides, preds):
    _, mix = ROI.build(sampler=dict(FEW, type='OHEMSampler'))
    batch = mixed(*sides, [0.7] * 3)
    with pytest.raises(TypeError, match='cannot sample with OHEMSampler'):
        ROI.losses(ROI.boxmix(mix), preds, batch)
    # Each pass of LossMix has hard labels to mine on.
    got = ROI.losses(with_supervision(mix, type='LossMix'), preds, batch)
    assert got['loss_cls'] > 0


def test_boxmix_with_samplers_of_either_side(sides, preds):
    combined = dict(
        FEW,
        type='CombinedSampler',
        pos_sampler=dict(type='InstanceBalancedPosSampler'),
        neg_sampler=dict(type='IoUBalancedNegSampler'),
    )
    spy = Spy(with_supervision(ROI.build(sampler=combined)[1], type='BoxMix'))
    ROI.losses(spy.head, preds, mixed(*sides, [0.7] * 3))
    assert len(spy.passes[0][0]) == 3 * 16


def test_lossmix_where_a_component_has_no_rois(heads, preds):
    """The stock head then gives no ``loss_cls``; the other pass's counts."""
    stock, mix = heads
    head = with_supervision(mix, type='LossMix')
    full, empty = (annotations((n,), seed=1, size=SIZE) for n in (2, 0))
    none = preds[0], [InstanceData(bboxes=torch.zeros(0, 4))]
    want = ROI.losses(stock, none, full)
    assert 'loss_cls' not in ROI.losses(stock, none, empty)
    for sides, lam in (((full, empty), 0.7), ((empty, full), 0.3)):
        got = ROI.losses(head, none, mixed(*sides, [lam]))
        close(got, {n: 0.7 * v for n, v in want.items()}, rtol=1e-6, atol=0)


def test_weighted_union_scales_positives_by_their_box(heads, sides, preds):
    """Positives × weight, negatives × 1, the stock normaliser."""
    _, mix = heads
    lams = (0.2, 0.65, 1.0)
    batch = mixed(*sides, lams)
    feats, proposals = preds
    got = ROI.losses(with_supervision(mix, type='WeightedUnion'), preds, batch)
    predict = predictor(mix, feats)
    cls_sum = reg_sum = count = 0.0
    for i, (instances, lam) in enumerate(zip(batch.gt_instances, lams)):
        boxes, labels = instances.bboxes.numpy(), instances.labels.numpy()
        rois = np.concatenate([boxes, proposals[i].bboxes.numpy()])
        owner = assign(rois, boxes, 0.5, 0.5)
        owner[: len(boxes)] = np.arange(len(boxes))
        box_weight = np.where(instances.mix_ids.numpy() == 0, lam, 1 - lam)
        weight = np.where(owner >= 0, box_weight[owner], 1.0)
        label = np.where(owner >= 0, labels[owner], NUM_CLASSES)
        logits, deltas = predict(i, rois)
        cls_sum -= (weight * log_softmax(logits)[np.arange(len(rois)), label]).sum()
        for roi in (owner >= 0).nonzero()[0]:
            target = offset(rois[roi], boxes[owner[roi]])
            reg_sum += weight[roi] * np.abs(deltas[roi, label[roi]] - target).sum()
        count += len(rois)
    assert got['loss_cls'].item() == pytest.approx(cls_sum / count, rel=2e-5)
    assert got['loss_bbox'].item() == pytest.approx(reg_sum / count, rel=2e-5)
    union = ROI.losses(with_supervision(mix, type='Union'), preds, batch)
    assert got['acc'] == union['acc']


@pytest.mark.parametrize('kind', ['WeightedUnion', 'LossMix', 'BoxMix'])
def test_heads_that_would_ignore_weights_are_refused(kind):
    supervision = dict(type=kind)
    plain = dict(type='Shared2FCBBoxHead', in_channels=4, roi_feat_size=2)
    extractor = dict(
        type='SingleRoIExtractor',
        roi_layer=dict(type='RoIAlign', output_size=2),
        out_channels=4,
        featmap_strides=[8],
    )
    cfg = dict(type='MixStandardRoIHead', bbox_roi_extractor=extractor)
    with pytest.raises(TypeError, match='MixShared2FCBBoxHead; got Shared2FCBBoxHead'):
        MODELS.build(dict(cfg, bbox_head=plain, supervision=supervision))
    MODELS.build(dict(cfg, bbox_head=plain))
    masked = dict(
        cfg,
        bbox_head=dict(plain, type='MixShared2FCBBoxHead'),
        mask_roi_extractor=extractor,
        mask_head=dict(type='FCNMaskHead', in_channels=4, conv_out_channels=4),
    )
    with pytest.raises(ValueError, match='LossMixDetector'):
        MODELS.build(dict(masked, supervision=supervision))
    assert MODELS.build(masked).with_mask


def test_passes_predict_a_shared_roi_once(sides, preds):
    """In one pass, and equal the passes of a head that predicts each in full."""
    head = with_supervision(ROI.build()[1], type='LossMix')
    batch = mixed(*sides, (0.2, 0.6, 0.9))
    spy = Spy(head)
    got = ROI.losses(spy.head, preds, batch)
    boxes = sum(len(b.gt_instances[i]) for b in sides for i in range(3))
    proposed = sum(map(len, preds[1]))
    ((rois, _),) = spy.passes
    assert len(rois) == boxes + proposed
    head.bbox_head.add_module('off', torch.nn.Dropout(0.5))
    spy = Spy(head)
    want = ROI.losses(spy.head, preds, batch)
    assert sum(len(rois) for rois, _ in spy.passes) == boxes + 2 * proposed
    close(got, want, rtol=1e-5, atol=1e-6)
