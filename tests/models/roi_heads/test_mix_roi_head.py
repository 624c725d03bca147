"""Identities of MixStandardRoIHead (methods 8-12, 14, 15, 17-25), against mmdet."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmmix.structures import Annotations
from tests.helpers import (
    NUM_CLASSES,
    annotations,
    mixed,
    random_boxes,
    samples_of,
    with_supervision,
)
from tests.models.dense_heads.reference import offset
from tests.models.dense_heads.rpn_reference import assign

from .reference import log_softmax, roi_boxmix

SIZE = 64
RULES = ('dominant', 'any', 'factored')
SUPERVISIONS = [
    dict(type='Union'),
    dict(type='WeightedUnion'),
    dict(type='LossMix'),
    *(dict(type='BoxMix', positives=rule) for rule in RULES),
]
ALL = dict(
    type='RandomSampler',
    num=10**6,
    pos_fraction=0.5,
    neg_pos_ub=-1,
    add_gt_as_proposals=True,
)
FEW = dict(ALL, num=16, pos_fraction=0.25)
NO_BOXES = dict(ALL, add_gt_as_proposals=False)


def build_heads(sampler=ALL, assigner=(), box_head='Shared2FCBBoxHead'):
    """A stock ``StandardRoIHead`` and a ``MixStandardRoIHead``, same parameters."""
    size = dict(in_channels=4, roi_feat_size=2, num_classes=NUM_CLASSES)
    if box_head == 'Shared2FCBBoxHead':
        size['fc_out_channels'] = 8
    else:
        size['with_avg_pool'] = True
    cfg = dict(
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=2, sampling_ratio=0),
            out_channels=4,
            featmap_strides=[8, 16],
            finest_scale=20,
        ),
        bbox_head=dict(type=box_head, loss_bbox=dict(type='L1Loss'), **size),
        train_cfg=ConfigDict(
            assigner={
                **dict(
                    type='MaxIoUAssigner',
                    pos_iou_thr=0.5,
                    neg_iou_thr=0.5,
                    min_pos_iou=0.5,
                    match_low_quality=False,
                    ignore_iof_thr=-1,
                ),
                **dict(assigner),
            },
            sampler=sampler,
            pos_weight=-1,
            debug=False,
        ),
        test_cfg=ConfigDict(
            score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=10
        ),
    )
    torch.manual_seed(0)
    stock = MODELS.build(dict(type='StandardRoIHead', **copy.deepcopy(cfg)))
    # Predictions that are far from uniform, and right now and then.
    stock.bbox_head.fc_cls.weight.data *= 8
    stock.bbox_head.fc_cls.bias.data[-1] += 2
    cfg['bbox_head']['type'] = 'Mix' + box_head
    mix = MODELS.build(dict(type='MixStandardRoIHead', **cfg))
    mix.load_state_dict(stock.state_dict(), strict=True)
    return stock, mix


@pytest.fixture(scope='module')
def heads():
    """Heads that sample every RoI."""
    return build_heads()


@pytest.fixture(scope='module')
def random_heads():
    """Heads that draw 16 RoIs per image."""
    return build_heads(FEW)


@pytest.fixture(scope='module')
def batch_a():
    return annotations((3, 1, 4), seed=1, size=SIZE)


@pytest.fixture(scope='module')
def batch_b():
    return annotations((2, 5, 1), seed=2, size=SIZE)


@pytest.fixture(scope='module')
def feats():
    generator = torch.Generator().manual_seed(4)
    return tuple(torch.randn(3, 4, s, s, generator=generator) for s in (8, 4))


@pytest.fixture(scope='module')
def proposals(batch_a, batch_b):
    """30 random proposals per image, and two near every box."""
    rng = np.random.default_rng(7)
    results = []
    for a, b in zip(batch_a.gt_instances, batch_b.gt_instances):
        boxes = torch.cat([a.bboxes, b.bboxes]).repeat(2, 1)
        near = boxes + torch.tensor(rng.uniform(-2, 2, boxes.shape)).float()
        bboxes = torch.cat([near, random_boxes(rng, 30, SIZE)])
        scores = torch.rand(len(bboxes), generator=torch.Generator().manual_seed(1))
        results.append(InstanceData(bboxes=bboxes, scores=scores, labels=scores.long()))
    return results


def losses(head, feats, proposals, batch, seed=0):
    """Named losses of a head on a batch, under a seed."""
    torch.manual_seed(seed)
    samples = samples_of(batch)
    for i, sample in enumerate(samples):
        if batch.ignored[i] is not None:
            sample.ignored_instances = batch.ignored[i]
    return head.loss(feats, [p.new() for p in proposals], samples)


def close(got, want, names=('loss_cls', 'loss_bbox'), **tolerance):
    """Every named loss agrees."""
    assert got.keys() == want.keys()
    for name in names:
        torch.testing.assert_close(got[name], want[name], **tolerance)


def identical(got, want):
    """Everything agrees bit for bit."""
    assert got.keys() == want.keys()
    for name in want:
        assert torch.equal(got[name], want[name])


def predictor(head, feats):
    """``predict`` of the reference, with the head's network."""

    def predict(index, boxes):
        boxes = torch.tensor(boxes).float()
        rois = torch.cat([torch.full((len(boxes), 1), float(index)), boxes], 1)
        with torch.no_grad():
            outputs = head._bbox_forward(feats, rois)
        logits = outputs['cls_score'].double().numpy()
        deltas = outputs['bbox_pred'].double().numpy()
        return logits, deltas.reshape(len(boxes), -1, 4)

    return predict


def arrays(batch):
    """N pairs of boxes and labels."""
    return [(i.bboxes.numpy(), i.labels.numpy()) for i in batch.gt_instances]


def boxes_of(proposals):
    """N arrays of proposals."""
    return [p.bboxes.numpy() for p in proposals]


class Spy:
    """Keeps the RoIs and predictions of each pass through a head's network."""

    def __init__(self, head):
        self.head = copy.copy(head)
        self.passes = []
        forward = head._bbox_forward

        def record(feats, rois):
            outputs = forward(feats, rois)
            outputs['bbox_pred'].retain_grad()
            outputs['cls_score'].retain_grad()
            self.passes.append((rois, outputs))
            return outputs

        self.head._bbox_forward = record


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
@pytest.mark.parametrize('box_head', ['Shared2FCBBoxHead', 'BBoxHead'])
def test_unmixed_samples_are_bit_identical_to_stock(
    batch_a, feats, proposals, supervision, box_head
):
    stock, mix = build_heads(FEW, box_head=box_head)
    head = with_supervision(mix, **supervision)
    want = losses(stock, feats, proposals, batch_a, seed=3)
    following = torch.rand(1)
    identical(losses(head, feats, proposals, batch_a, seed=3), want)
    assert torch.equal(torch.rand(1), following)


def test_state_dict_and_predictions_are_stock(heads, batch_a, feats, proposals):
    stock, mix = heads
    assert list(stock.state_dict()) == list(mix.state_dict())
    samples = samples_of(batch_a)
    for sample in samples:
        sample.set_metainfo(dict(scale_factor=(1.0, 1.0), ori_shape=(SIZE, SIZE)))
    got, want = (h.predict(feats, proposals, samples) for h in (mix, stock))
    for g, w in zip(got, want):
        assert len(w) == 10
        assert torch.equal(g.bboxes, w.bboxes)
        assert torch.equal(g.scores, w.scores)


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
def test_proposals_and_samples_stay_as_they_were(
    heads, batch_a, batch_b, feats, proposals, supervision
):
    head = with_supervision(heads[1], **supervision)
    given = [p.clone() for p in proposals]
    batch = mixed(batch_a, batch_b, (0.9, 0.3, 0.5))
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


# --- BoxMix -----------------------------------------------------------------


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize(
    ('sampler', 'negative'), [(ALL, 0.5), (NO_BOXES, 0.5), (ALL, 0.3)]
)
@pytest.mark.parametrize(
    'lams', [(0.9, 0.3, 0.5), (0.5001, 0.7, 0.02), (1.0, 0.0, 0.8)], ids=str
)
def test_boxmix_equals_the_slow_reference(
    batch_a, batch_b, feats, proposals, rule, sampler, negative, lams
):
    """Identities 8 and 9: soft labels there, two hard losses here."""
    _, mix = build_heads(sampler, assigner=dict(neg_iou_thr=negative))
    spy = Spy(with_supervision(mix, type='BoxMix', positives=rule))
    got = losses(spy.head, feats, proposals, mixed(batch_a, batch_b, lams))
    want = roi_boxmix(
        predictor(mix, feats),
        boxes_of(proposals),
        [arrays(batch_a), arrays(batch_b)],
        lams,
        negative=negative,
        with_boxes=sampler is ALL,
    )
    assert len(spy.passes) == 1
    assert got.keys() == want.keys()
    for name in want:
        assert got[name].item() == pytest.approx(want[name], rel=2e-5)
    assert want['loss_bbox'] > 0
    assert 20 < want['acc'] < 90


@pytest.mark.parametrize('sampler', [ALL, FEW, NO_BOXES], ids=['all', 'few', 'none'])
@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_stock_limits(batch_a, batch_b, feats, proposals, sampler, lam):
    """Identity 10; with few samples they are the same ones under a seed."""
    stock, mix = build_heads(sampler, assigner=dict(match_low_quality=True))
    head = with_supervision(mix, type='BoxMix')
    want = losses(stock, feats, proposals, batch_a if lam == 1.0 else batch_b)
    got = losses(head, feats, proposals, mixed(batch_a, batch_b, [lam] * 3))
    close(got, want, atol=1e-6, rtol=1e-6)
    assert got['acc'] == want['acc']


@pytest.mark.parametrize('sampler', [ALL, FEW, NO_BOXES], ids=['all', 'few', 'none'])
@pytest.mark.parametrize('lam', [0.1, 0.5, 0.8])
def test_boxmix_of_a_sample_with_itself_is_stock(
    batch_a, feats, proposals, sampler, lam
):
    """Identity 11."""
    stock, mix = build_heads(sampler)
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, feats, proposals, mixed(batch_a, batch_a, [lam] * 3))
    want = losses(stock, feats, proposals, batch_a)
    close(got, want, atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_boxmix_regresses_the_dominant_component_only(
    heads, batch_a, batch_b, feats, proposals, lam, side
):
    """Identity 12: the place of the dominant label, on its positives."""
    spy = Spy(with_supervision(heads[1], type='BoxMix'))
    got = losses(spy.head, feats, proposals, mixed(batch_a, batch_b, [lam] * 3))
    got['loss_bbox'].backward()
    ((rois, outputs),) = spy.passes
    gradient = outputs['bbox_pred'].grad.view(len(rois), NUM_CLASSES, 4)
    touched = gradient.abs().sum(-1).numpy() > 0
    expected = np.zeros_like(touched)
    for i, instances in enumerate((batch_a, batch_b)[side].gt_instances):
        mine = (rois[:, 0] == i).numpy()
        owner = assign(rois[mine, 1:].numpy(), instances.bboxes.numpy(), 0.5, 0.5)
        label = instances.labels.numpy()[owner]
        rows = mine.nonzero()[0][owner >= 0]
        expected[rows, label[owner >= 0]] = True
    np.testing.assert_array_equal(touched, expected)


@pytest.mark.parametrize('lam', [0.7, 0.5])
def test_boxmix_draws_once_from_the_merged_assignment(
    random_heads, batch_a, batch_b, feats, proposals, lam
):
    """One sample of 16 RoIs an image, a quarter of them positive somewhere."""
    spy = Spy(with_supervision(random_heads[1], type='BoxMix'))
    losses(spy.head, feats, proposals, mixed(batch_a, batch_b, [lam] * 3))
    ((rois, _),) = spy.passes
    only_other = 0
    for i in range(3):
        mine = rois[rois[:, 0] == i, 1:].numpy()
        assert len(mine) == 16
        first, second = (
            assign(mine, batch.gt_instances[i].bboxes.numpy(), 0.5, 0.5) >= 0
            for batch in ((batch_a, batch_b) if lam > 0.5 else (batch_b, batch_a))
        )
        assert (first | second).sum() == 4
        only_other += (second & ~first).sum()
    assert only_other


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
def test_boxmix_is_symmetric(batch_a, batch_b, feats, proposals, sampler):
    """Identity 14."""
    head = with_supervision(build_heads(sampler)[1], type='BoxMix')
    lams = (0.9, 0.35, 0.6)
    got = losses(head, feats, proposals, mixed(batch_a, batch_b, lams))
    swapped = mixed(batch_b, batch_a, [1 - lam for lam in lams])
    want = losses(head, feats, proposals, swapped)
    close(got, want, atol=1e-5, rtol=1e-6)
    assert got['acc'] == want['acc']


@pytest.mark.parametrize('counts', [(3, 0), (0, 3), (0, 0)])
@pytest.mark.parametrize('num_proposals', [20, 0])
def test_boxmix_with_empty_components(heads, feats, counts, num_proposals):
    """Identity 15: an empty component is background."""
    head = with_supervision(heads[1], type='BoxMix')
    sides = [annotations((count,), seed=1, size=SIZE) for count in counts]
    bboxes = random_boxes(np.random.default_rng(3), num_proposals, SIZE)
    one = [InstanceData(bboxes=bboxes)]
    got = losses(head, feats, one, mixed(*sides, [0.7]))
    assert torch.isfinite(got['loss_bbox'])
    if not (any(counts) or num_proposals):
        assert got.keys() == {'loss_bbox'}
        assert got['loss_bbox'] == 0
        return
    want = roi_boxmix(
        predictor(head, feats), boxes_of(one), [arrays(s) for s in sides], [0.7]
    )
    for name in want:
        assert got[name].item() == pytest.approx(want[name], rel=2e-5)


def test_boxmix_of_equal_boxes_with_other_labels(heads, feats, batch_a):
    """A box that both components have is one RoI with a soft label."""
    twin = annotations((3, 1, 4), seed=1, size=SIZE)
    for instances in twin.gt_instances:
        instances.labels = (instances.labels + 1) % NUM_CLASSES
    empty = [InstanceData(bboxes=torch.zeros(0, 4)) for _ in range(3)]
    spy = Spy(with_supervision(heads[1], type='BoxMix'))
    got = losses(spy.head, feats, empty, mixed(batch_a, twin, [0.7] * 3))
    assert len(spy.passes[0][0]) == 8
    want = 0.0
    for i, instances in enumerate(batch_a.gt_instances):
        logits, _ = predictor(heads[1], feats)(i, instances.bboxes.numpy())
        rows, label = np.arange(len(instances)), instances.labels.numpy()
        log_p = log_softmax(logits)
        want -= 0.7 * log_p[rows, label].sum()
        want -= 0.3 * log_p[rows, (label + 1) % NUM_CLASSES].sum()
    assert got['loss_cls'].item() == pytest.approx(want / 8, rel=2e-5)


def test_boxmix_refuses_to_mine(batch_a, batch_b, feats, proposals):
    _, mix = build_heads(dict(FEW, type='OHEMSampler'))
    batch = mixed(batch_a, batch_b, [0.7] * 3)
    with pytest.raises(TypeError, match='cannot sample with OHEMSampler'):
        losses(with_supervision(mix, type='BoxMix'), feats, proposals, batch)
    # Each pass of LossMix has hard labels to mine on.
    got = losses(with_supervision(mix, type='LossMix'), feats, proposals, batch)
    assert got['loss_cls'] > 0


def test_boxmix_with_samplers_of_either_side(batch_a, batch_b, feats, proposals):
    combined = dict(
        FEW,
        type='CombinedSampler',
        pos_sampler=dict(type='InstanceBalancedPosSampler'),
        neg_sampler=dict(type='IoUBalancedNegSampler'),
    )
    spy = Spy(with_supervision(build_heads(combined)[1], type='BoxMix'))
    losses(spy.head, feats, proposals, mixed(batch_a, batch_b, [0.7] * 3))
    assert len(spy.passes[0][0]) == 3 * 16


# --- LossMix ----------------------------------------------------------------


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
@pytest.mark.parametrize('lam', [0.0, 0.25, 0.7, 1.0])
def test_lossmix_is_the_weighted_sum_of_stock_losses(
    batch_a, batch_b, feats, proposals, sampler, lam
):
    """Identity 17; the component passes draw one after the other."""
    stock, mix = build_heads(sampler)
    spy = Spy(with_supervision(mix, type='LossMix'))
    batch = mixed(batch_a, batch_b, [lam] * 3)
    got = losses(spy.head, feats, proposals, batch, seed=5)
    torch.manual_seed(5)
    sides = [
        stock.loss(feats, [p.new() for p in proposals], samples_of(side))
        for side in (batch_a, batch_b)
    ]
    want = {n: lam * sides[0][n] + (1 - lam) * sides[1][n] for n in sides[0]}
    close(got, want, (*want,), rtol=1e-6, atol=0)
    assert len(spy.passes) == 2
    assert sides[0]['acc'] != sides[1]['acc']


@pytest.mark.parametrize('lams', [(0.15, 0.6, 0.95), (0.4, 0.0, 1.0)], ids=str)
def test_lossmix_weights_each_image(heads, batch_a, batch_b, feats, proposals, lams):
    """Identities 18 and 19: single images with the batch's normaliser."""
    stock, mix = heads
    head = with_supervision(mix, type='LossMix')
    got = losses(head, feats, proposals, mixed(batch_a, batch_b, lams))
    want = dict.fromkeys(got, 0.0)
    for batch, weights in ((batch_a, lams), (batch_b, [1 - lam for lam in lams])):
        sizes = [len(p.bboxes) + len(i) for p, i in zip(proposals, batch.gt_instances)]
        full = losses(stock, feats, proposals, batch)
        want['acc'] += np.mean(weights) * full['acc']
        for i, weight in enumerate(weights):
            one = Annotations([batch.gt_instances[i]], [batch.metas[i]], [None])
            level = [level[i : i + 1] for level in feats]
            part = losses(stock, level, [proposals[i]], one)
            for name in ('loss_cls', 'loss_bbox'):
                want[name] += weight * sizes[i] / sum(sizes) * part[name]
    close(got, want, (*want,), rtol=1e-5, atol=1e-7)


def test_lossmix_lam_of_one_image_leaves_the_others_alone(
    heads, batch_a, batch_b, feats, proposals
):
    """Identity 18, gradients; identity 19 at λ = 0, where A's labels do not count."""
    head = with_supervision(heads[1], type='LossMix')

    def gradients(lam, batch):
        spy = Spy(head)
        got = losses(spy.head, feats, proposals, mixed(batch, batch_b, (lam, 0.6, 0.9)))
        (got['loss_cls'] + got['loss_bbox']).backward()
        return [(rois[:, 0], out['cls_score'].grad) for rois, out in spy.passes]

    first = gradients(0.2, batch_a)
    for lam in (0.7, 0.0):
        for (image, one), (_, other) in zip(first, gradients(lam, batch_a)):
            assert torch.equal(one[image != 0], other[image != 0])
            assert not torch.equal(one[image == 0], other[image == 0])
    renamed = [instances.new() for instances in batch_a.gt_instances]
    renamed[0].labels = (renamed[0].labels + 1) % NUM_CLASSES
    changed = batch_a._replace(gt_instances=renamed)
    for lam, unchanged in ((0.0, True), (0.2, False)):
        pairs = zip(gradients(lam, batch_a), gradients(lam, changed))
        assert unchanged == all(
            torch.equal(one, other) for (_, one), (_, other) in pairs
        )


def test_lossmix_is_linear_in_lam(random_heads, batch_a, batch_b, feats, proposals):
    """Identity 20, same samples under a seed."""
    head = with_supervision(random_heads[1], type='LossMix')
    at = {
        lam: losses(head, feats, proposals, mixed(batch_a, batch_b, [lam] * 3))
        for lam in (0.0, 0.25, 0.75, 1.0)
    }
    for name in at[0.0]:
        torch.testing.assert_close(
            at[0.25][name] + at[0.75][name],
            at[0.0][name] + at[1.0][name],
            rtol=1e-5,
            atol=0,
        )


@pytest.mark.parametrize(('cls', 'reg'), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_lossmix_term_switches(heads, batch_a, batch_b, feats, proposals, cls, reg):
    """Identity 21: a switched-off term is Union's."""
    _, mix = heads
    batch = mixed(batch_a, batch_b, (0.2, 0.6, 0.9))
    head = with_supervision(mix, type='LossMix', cls=bool(cls), reg=bool(reg))
    full, union = (
        losses(with_supervision(mix, type=kind), feats, proposals, batch)
        for kind in ('LossMix', 'Union')
    )
    source = full if cls else union
    want = {**source, 'loss_bbox': (full if reg else union)['loss_bbox']}
    identical(losses(head, feats, proposals, batch), want)
    for name in ('loss_cls', 'loss_bbox'):
        assert full[name] != union[name]


def test_lossmix_where_a_component_has_no_rois(heads, feats):
    """The stock head then gives no ``loss_cls``; the other pass's counts."""
    stock, mix = heads
    head = with_supervision(mix, type='LossMix')
    full, empty = (annotations((n,), seed=1, size=SIZE) for n in (2, 0))
    none = [InstanceData(bboxes=torch.zeros(0, 4))]
    want = losses(stock, feats, none, full)
    assert 'loss_cls' not in losses(stock, feats, none, empty)
    for sides, lam in (((full, empty), 0.7), ((empty, full), 0.3)):
        got = losses(head, feats, none, mixed(*sides, [lam]))
        close(got, {n: 0.7 * v for n, v in want.items()}, rtol=1e-6, atol=0)


@pytest.mark.parametrize('kind', ['LossMix', 'BoxMix'])
def test_components_of_a_partly_mixed_batch(
    heads, batch_a, batch_b, feats, proposals, kind
):
    """An unmixed image gets its stock terms, but for the batch's normaliser."""
    stock, mix = heads
    batch = mixed(batch_a, batch_b, (0.4, 1.0, 0.4))
    batch.gt_instances[1] = batch_a.gt_instances[1]
    batch.metas[1] = batch_a.metas[1]
    one = Annotations([batch_a.gt_instances[1]], [batch_a.metas[1]], [None])
    maps = [level.clone().requires_grad_() for level in feats]
    head = with_supervision(mix, type=kind)
    got = losses(head, maps, proposals, batch)
    (got['loss_cls'] + got['loss_bbox']).backward()
    own = [level[1:2].clone().requires_grad_() for level in feats]
    want = losses(stock, own, [proposals[1]], one)
    (want['loss_cls'] + want['loss_bbox']).backward()
    counts = [len(p.bboxes) for p in proposals]
    for i, (a, b) in enumerate(zip(batch_a.gt_instances, batch_b.gt_instances)):
        if i == 1 or kind == 'LossMix':
            counts[i] += len(a)
        else:
            counts[i] += len(a) + len(b)
    ratio = (len(proposals[1].bboxes) + len(one.gt_instances[0])) / sum(counts)
    for level, single in zip(maps, own):
        torch.testing.assert_close(level.grad[1:2], ratio * single.grad)


# --- Union, WeightedUnion -----------------------------------------------------


@pytest.mark.parametrize('supervision', [None, dict(type='Union')])
def test_union_is_stock_on_all_boxes(batch_a, batch_b, feats, proposals, supervision):
    """Identity 22: λ does not matter, and None behaves as Union."""
    stock, mix = build_heads(FEW)
    if supervision:
        mix = with_supervision(mix, **supervision)
    unions = [mixed(batch_a, batch_b, [lam] * 3) for lam in (0.1, 0.9)]
    want = losses(stock, feats, proposals, unions[0])
    for union in unions:
        identical(losses(mix, feats, proposals, union), want)


def test_weighted_union_scales_positives_by_their_box(
    heads, batch_a, batch_b, feats, proposals
):
    """Positives × weight, negatives × 1, the stock normaliser."""
    _, mix = heads
    lams = (0.2, 0.65, 1.0)
    batch = mixed(batch_a, batch_b, lams)
    got = losses(with_supervision(mix, type='WeightedUnion'), feats, proposals, batch)
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
    union = losses(with_supervision(mix, type='Union'), feats, proposals, batch)
    assert got['acc'] == union['acc']


# --- Relations between supervisions -------------------------------------------


@pytest.mark.parametrize('lam', [0.3, 0.8])
def test_boxmix_cls_is_lossmix_cls_on_the_same_rois(
    batch_a, batch_b, feats, proposals, lam
):
    """Identity 25: no boxes added, every proposal sampled."""
    _, mix = build_heads(NO_BOXES)
    batch = mixed(batch_a, batch_b, [lam] * 3)
    got, want, union = (
        losses(with_supervision(mix, type=kind), feats, proposals, batch)
        for kind in ('BoxMix', 'LossMix', 'Union')
    )
    close(got, want, ['loss_cls'], rtol=1e-6, atol=0)
    assert abs(got['loss_cls'] - union['loss_cls']) > 1e-3


@pytest.mark.parametrize(
    ('supervision', 'own', 'other'),
    [
        ('LossMix', 0.7, 0.3),
        ('BoxMix', 0.7, 0.3),
        ('WeightedUnion', 1.0, 1.0),
        ('Union', 1.0, 1.0),
    ],
)
def test_optimum_of_free_logits(supervision, own, other):
    """Identity 23: λ moves the target of LossMix and BoxMix, of no other."""
    _, mix = build_heads(NO_BOXES)
    head = copy.copy(with_supervision(mix, type=supervision))
    boxes = torch.tensor([[4.0, 4.0, 20.0, 20.0], [36.0, 36.0, 52.0, 52.0]])
    sides = [annotations((1,), seed=seed, size=SIZE) for seed in (1, 2)]
    for side, box, label in zip(sides, boxes, (3, 7)):
        side.gt_instances[0].bboxes = box[None]
        side.gt_instances[0].labels = torch.tensor([label])
    logits = torch.zeros(2, NUM_CLASSES + 1, requires_grad=True)

    def forward(feats, rois):
        rows = (rois[:, None, 1:] == boxes).all(-1).int().argmax(1)
        return dict(
            cls_score=logits[rows],
            bbox_pred=torch.zeros(len(rois), 4 * NUM_CLASSES),
            bbox_feats=None,
        )

    head._bbox_forward = forward
    optimizer = torch.optim.Adam([logits], lr=0.5)
    one = [InstanceData(bboxes=boxes)]
    for _ in range(80):
        optimizer.zero_grad()
        batch = mixed(*sides, [0.7])
        losses(head, [torch.zeros(1, 4, 8, 8)], one, batch)['loss_cls'].backward()
        optimizer.step()
    probs = logits.softmax(-1).detach()
    assert probs[0, 3] == pytest.approx(own, abs=0.01)
    assert probs[1, 7] == pytest.approx(other, abs=0.01)


def test_lossmix_takes_three_components_boxmix_refuses(
    heads, batch_a, batch_b, feats, proposals
):
    stock, mix = heads
    weights = (0.5, 0.3, 0.2)
    sides = [batch_a, batch_b, annotations((1, 2, 3), seed=9, size=SIZE)]
    three = mixed(batch_a, batch_b, [0.5] * 3)
    for i, union in enumerate(three.gt_instances):
        extra = sides[2].gt_instances[i].new()
        extra.mix_ids = torch.full((len(extra),), 2)
        three.gt_instances[i] = InstanceData.cat([union, extra])
        three.metas[i]['mix_weights'] = weights
    got = losses(with_supervision(mix, type='LossMix'), feats, proposals, three)
    parts = [losses(stock, feats, proposals, side) for side in sides]
    want = {n: sum(w * p[n] for w, p in zip(weights, parts)) for n in parts[0]}
    close(got, want, (*want,), rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match='two components, got 3'):
        losses(with_supervision(mix, type='BoxMix'), feats, proposals, three)


@pytest.mark.parametrize('sampler', [ALL, NO_BOXES], ids=['all', 'none'])
def test_ignored_boxes_stay_with_their_component(
    batch_a, batch_b, feats, proposals, sampler
):
    """A RoI ignored in one component keeps the other component's term."""
    stock, mix = build_heads(sampler, assigner=dict(ignore_iof_thr=0.5))
    ignored = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 32.0, 64.0]]))
    ignored.labels = torch.tensor([0])
    with_ignored = batch_a._replace(ignored=[ignored] * 3)
    tagged = ignored.new()
    tagged.mix_ids = torch.tensor([0])
    sides = [losses(stock, feats, proposals, s) for s in (with_ignored, batch_b)]
    assert sides[0]['loss_cls'] != losses(stock, feats, proposals, batch_a)['loss_cls']

    def loss_at(lam, kind):
        batch = mixed(batch_a, batch_b, [lam] * 3)._replace(ignored=[tagged] * 3)
        return losses(with_supervision(mix, type=kind), feats, proposals, batch)

    want = {n: 0.3 * sides[0][n] + 0.7 * sides[1][n] for n in sides[0]}
    close(loss_at(0.3, 'LossMix'), want, rtol=1e-5, atol=0)
    for lam in (0.0, 1.0):
        want = sides[0 if lam else 1]
        close(loss_at(lam, 'BoxMix'), want, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
def test_autocast_keeps_the_loss_in_float32(
    heads, batch_a, batch_b, feats, proposals, supervision
):
    head = with_supervision(heads[1], **supervision)
    batch = mixed(batch_a, batch_b, (0.9, 0.3, 0.501))
    want = losses(head, feats, proposals, batch)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        spy = Spy(head)
        got = losses(spy.head, feats, proposals, batch)
    assert spy.passes[0][1]['cls_score'].dtype == torch.bfloat16
    for name in ('loss_cls', 'loss_bbox'):
        assert got[name].dtype == torch.float32
    close(got, want, rtol=2e-2, atol=1e-3)


# --- What does not fit ----------------------------------------------------------


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


def test_passes_predict_a_shared_roi_once(batch_a, batch_b, feats, proposals):
    """And equal the passes of a head that predicts each of them in full."""
    head = with_supervision(build_heads()[1], type='LossMix')
    batch = mixed(batch_a, batch_b, (0.2, 0.6, 0.9))
    spy = Spy(head)
    got = losses(spy.head, feats, proposals, batch)
    boxes = sum(len(b.gt_instances[i]) for b in (batch_a, batch_b) for i in range(3))
    sampled = boxes + sum(map(len, proposals))
    assert sum(len(rois) for rois, _ in spy.passes) == sampled
    head.bbox_head.add_module('off', torch.nn.Dropout(0.5))
    spy = Spy(head)
    want = losses(spy.head, feats, proposals, batch)
    assert sum(len(rois) for rois, _ in spy.passes) == sampled + sum(
        map(len, proposals)
    )
    close(got, want, rtol=1e-5, atol=1e-6)
