"""Identities of MixRPNHead (methods 8-12, 14, 15 and 17-25), against stock mmdet."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.bbox import cat_boxes
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmmix.structures import Annotations
from tests.helpers import annotations, mixed, samples_of, total, with_supervision

from .reference import offset
from .rpn_reference import (
    NEGATIVE,
    assign,
    binary_entropy,
    merged_sample,
    rpn_boxmix,
    soft_objectness,
)

SIZE = 64
SIDES = (8, 4)
PRIORS = 6
RULES = ('dominant', 'any', 'factored')
SUPERVISIONS = [
    dict(type='Union'),
    dict(type='WeightedUnion'),
    dict(type='LossMix'),
    *(dict(type='BoxMix', positives=rule) for rule in RULES),
]
THRESHOLDS = dict(positive=0.5, negative=0.3, low_quality=0.3)
ALL = dict(
    type='RandomSampler',
    num=10**6,
    pos_fraction=0.5,
    neg_pos_ub=-1,
    add_gt_as_proposals=False,
)
FEW = dict(ALL, num=32)


def build_heads(sampler=ALL, assigner=(), **train_cfg):
    """A stock ``RPNHead`` and a ``MixRPNHead`` of the same settings."""
    cfg = dict(
        in_channels=4,
        feat_channels=4,
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[2, 4],
            ratios=[0.5, 1.0, 2.0],
            strides=[8, 16],
        ),
        bbox_coder=dict(
            type='DeltaXYWHBBoxCoder',
            target_means=[0.0, 0.0, 0.0, 0.0],
            target_stds=[0.1, 0.1, 0.2, 0.2],
        ),
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True),
        loss_bbox=dict(type='L1Loss'),
        train_cfg=ConfigDict(
            assigner={
                **dict(
                    type='MaxIoUAssigner',
                    pos_iou_thr=0.5,
                    neg_iou_thr=0.3,
                    min_pos_iou=0.3,
                    match_low_quality=True,
                    ignore_iof_thr=-1,
                ),
                **dict(assigner),
            },
            sampler=sampler,
            allowed_border=train_cfg.get('allowed_border', -1),
            pos_weight=-1,
            debug=False,
        ),
        test_cfg=ConfigDict(
            nms_pre=50,
            max_per_img=20,
            nms=dict(type='nms', iou_threshold=0.7),
            min_bbox_size=0,
        ),
    )
    stock = MODELS.build(dict(type='RPNHead', **copy.deepcopy(cfg)))
    return stock, MODELS.build(dict(type='MixRPNHead', **cfg))


@pytest.fixture(scope='module')
def heads():
    """Heads that sample every anchor."""
    return build_heads()


@pytest.fixture(scope='module')
def random_heads():
    """Heads that draw 32 anchors per image."""
    return build_heads(FEW)


def class_agnostic(batch):
    """What a two-stage detector does for its first stage."""
    for instances in batch.gt_instances:
        instances.labels = torch.zeros_like(instances.labels)
    return batch


@pytest.fixture(scope='module')
def batch_a():
    return class_agnostic(annotations((3, 1, 4), seed=1, size=SIZE))


@pytest.fixture(scope='module')
def batch_b():
    return class_agnostic(annotations((2, 5, 1), seed=2, size=SIZE))


def predictions(num_images=3, seed=0, scale=1.0):
    """Random objectness and deltas per level, with gradients."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        [
            torch.randn(num_images, PRIORS * channels, side, side, generator=generator)
            .mul_(scale)
            .requires_grad_()
            for side in SIDES
        ]
        for channels in (1, 4)
    )


def losses(head, preds, batch, seed=0):
    """Named totals of a head on a batch, under a seed."""
    torch.manual_seed(seed)
    return total(head.loss_by_feat(*preds, *batch))


def flat(maps, channels):
    """(N, A, channels) in the order of the anchors."""
    return torch.cat(
        [m.permute(0, 2, 3, 1).reshape(len(m), -1, channels) for m in maps], 1
    )


def flat_anchors(head):
    """All anchors, (A, 4)."""
    sizes = [(side, side) for side in SIDES]
    return cat_boxes(head.prior_generator.grid_priors(sizes, device='cpu')).numpy()


def inside_of(anchors, border):
    """Mask of the anchors that the head trains, for ``allowed_border``."""
    if border < 0:
        return np.ones(len(anchors), dtype=bool)
    inside = (anchors >= 0).all(1) & (anchors < SIZE).all(1)
    assert 0 < inside.sum() < len(anchors)
    return inside


def owners_of(anchors, *batches, **thresholds):
    """Per image: owners of the anchors in each batch."""
    thresholds = {**THRESHOLDS, **thresholds}
    return [
        [assign(anchors, i.bboxes.numpy(), **thresholds) for i in images]
        for images in zip(*(batch.gt_instances for batch in batches))
    ]


def close(got, want, **tolerance):
    """Every named loss agrees."""
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], **tolerance)


def identical(got, want):
    """Every named list of losses agrees bit for bit."""
    assert got.keys() == want.keys()
    for name in want:
        assert all(torch.equal(g, w) for g, w in zip(got[name], want[name]))


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
def test_unmixed_samples_are_bit_identical_to_stock(random_heads, batch_a, supervision):
    stock, mix = random_heads
    preds = predictions()
    head = with_supervision(mix, **supervision)
    torch.manual_seed(3)
    want = stock.loss_by_feat(*preds, *batch_a)
    following = torch.rand(1)
    torch.manual_seed(3)
    identical(head.loss_by_feat(*preds, *batch_a), want)
    assert torch.equal(torch.rand(1), following)


def test_state_dict_and_proposals_are_stock(heads, batch_a, batch_b):
    stock, mix = heads
    assert list(stock.state_dict()) == list(mix.state_dict())
    mix.load_state_dict(stock.state_dict(), strict=True)
    feats = [torch.randn(3, 4, side, side) for side in SIDES]
    batch = mixed(batch_a, batch_b, (0.2, 0.6, 0.9))
    head = with_supervision(mix, type='LossMix')
    samples = samples_of(batch)
    for sample in samples:
        sample.ignored_instances.mix_ids = sample.ignored_instances.mix_ids[:0]
    got, proposals = head.loss_and_predict(feats, samples, mix.test_cfg)
    _, want = stock.loss_and_predict(feats, samples, mix.test_cfg)
    close(total(got), losses(head, head(feats), batch), rtol=1e-6, atol=0)
    for p, w in zip(proposals, want):
        assert torch.equal(p.bboxes, w.bboxes)


# --- BoxMix -----------------------------------------------------------------


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('border', [-1, 0])
@pytest.mark.parametrize(
    'lams', [(0.9, 0.3, 0.5), (0.5001, 0.7, 0.02), (1.0, 0.0, 0.8)], ids=str
)
def test_boxmix_equals_the_slow_reference(batch_a, batch_b, rule, border, lams):
    """Identities 8 and 9: soft targets there, two hard losses here."""
    _, mix = build_heads(allowed_border=border)
    preds = predictions(seed=3)
    head = with_supervision(mix, type='BoxMix', positives=rule)
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    anchors = flat_anchors(mix)
    inside = inside_of(anchors, border)
    boxes = [
        [i.bboxes.numpy() for i in images]
        for images in zip(batch_a.gt_instances, batch_b.gt_instances)
    ]
    want = rpn_boxmix(
        flat(preds[0], 1).detach().double().numpy()[:, inside, 0],
        flat(preds[1], 4).detach().double().numpy()[:, inside],
        anchors[inside],
        owners_of(anchors[inside], batch_a, batch_b),
        boxes,
        lams,
    )
    assert got['loss_rpn_cls'].item() == pytest.approx(want[0], rel=2e-5)
    assert got['loss_rpn_bbox'].item() == pytest.approx(want[1], rel=2e-5)


def test_the_reference_meets_every_kind_of_anchor(heads, batch_a, batch_b):
    """Every pair of positive, negative and ignored; the comparison sees them all."""
    anchors = flat_anchors(heads[1])
    kinds = {
        tuple(min(owner, 0) for owner in pair)
        for pairs in owners_of(anchors, batch_a, batch_b)
        for pair in zip(*pairs)
    }
    assert len(kinds) == 9


@pytest.mark.parametrize('lam', [0.0, 0.2, 1.0])
def test_soft_objectness_is_a_probability(heads, batch_a, batch_b, lam):
    """Identities 8 and 9, on the reference that the loss is compared with."""
    anchors = flat_anchors(heads[1])
    for pair in owners_of(anchors, batch_a, batch_b):
        soft = soft_objectness(pair, lam)
        assert ((soft >= 0) & (soft <= 1)).all()
        if lam in (0.0, 1.0):
            np.testing.assert_array_equal(soft, pair[int(1 - lam)] >= 0)
        logits = np.random.default_rng(0).normal(size=len(soft))
        hard = [binary_entropy(logits, (owner >= 0).astype(float)) for owner in pair]
        np.testing.assert_allclose(
            binary_entropy(logits, soft), lam * hard[0] + (1 - lam) * hard[1], 1e-6
        )


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_stock_limits(batch_a, batch_b, sampler, lam):
    """Identity 10; with few samples they are the same ones under a seed."""
    stock, mix = build_heads(sampler)
    preds = predictions()
    head = with_supervision(mix, type='BoxMix')
    want = losses(stock, preds, batch_a if lam == 1.0 else batch_b)
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    close(got, want, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
@pytest.mark.parametrize('lam', [0.1, 0.5, 0.8])
def test_boxmix_of_a_sample_with_itself_is_stock(batch_a, sampler, lam):
    """Identity 11."""
    stock, mix = build_heads(sampler)
    preds = predictions()
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, preds, mixed(batch_a, batch_a, [lam] * 3))
    close(got, losses(stock, preds, batch_a), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_boxmix_regresses_the_dominant_component_only(
    heads, batch_a, batch_b, lam, side
):
    """Identity 12."""
    _, mix = heads
    preds = predictions()
    head = with_supervision(mix, type='BoxMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    got['loss_rpn_bbox'].backward()
    gradient = flat([p.grad for p in preds[1]], 4).abs().sum(-1) > 0
    owners = owners_of(flat_anchors(mix), batch_a, batch_b)
    for touched, pair in zip(gradient, owners):
        np.testing.assert_array_equal(touched.numpy(), pair[side] >= 0)


@pytest.mark.parametrize('lam', [0.7, 0.5])
def test_boxmix_draws_once_from_the_merged_assignment(batch_a, batch_b, lam):
    """One sample of ``num`` anchors, half of them positive in a component."""
    _, mix = build_heads(dict(ALL, num=8))
    preds = predictions()
    head = with_supervision(mix, type='BoxMix')
    losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))['loss_rpn_cls'].backward()
    touched = flat([p.grad for p in preds[0]], 1)[..., 0] != 0
    drawn_from_other = 0
    owners = owners_of(flat_anchors(mix), batch_a, batch_b)
    for i, pair in enumerate(owners):
        positive, negative = merged_sample(pair, lam)
        chosen = touched[i].numpy()
        assert chosen.sum() == 8
        assert (chosen & positive).sum() == min(positive.sum(), 4)
        assert not (chosen & ~positive & ~negative).any()
        drawn_from_other += (chosen & (pair[1 if lam > 0.5 else 0] >= 0)).sum()
    assert drawn_from_other
    # The head's own assigner and sampler are as before.
    assert type(mix.sampler).__name__ == 'RandomSampler'
    assert type(mix.assigner).__name__ == 'MaxIoUAssigner'


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
def test_boxmix_is_symmetric(batch_a, batch_b, sampler):
    """Identity 14."""
    head = with_supervision(build_heads(sampler)[1], type='BoxMix')
    preds = predictions()
    lams = (0.9, 0.35, 0.6)
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    swapped = mixed(batch_b, batch_a, [1 - lam for lam in lams])
    close(got, losses(head, preds, swapped), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize('counts', [(3, 0), (0, 3), (0, 0)])
def test_boxmix_with_empty_components(heads, counts):
    """Identity 15: an empty component is background."""
    head = with_supervision(heads[1], type='BoxMix')
    sides = [
        class_agnostic(annotations((count,), seed=1, size=SIZE)) for count in counts
    ]
    preds = predictions(1)
    got = losses(head, preds, mixed(*sides, [0.7]))
    anchors = flat_anchors(head)
    want = rpn_boxmix(
        flat(preds[0], 1).detach().double().numpy()[..., 0],
        flat(preds[1], 4).detach().double().numpy(),
        anchors,
        owners_of(anchors, *sides),
        [[side.gt_instances[0].bboxes.numpy() for side in sides]],
        [0.7],
    )
    assert got['loss_rpn_cls'].item() == pytest.approx(want[0], rel=2e-5)
    assert got['loss_rpn_bbox'].item() == pytest.approx(want[1], rel=2e-5)
    assert want[0] > 0
    assert (want[1] > 0) == (counts[0] > 0)


def test_boxmix_refuses_to_mine(heads, batch_a, batch_b):
    from mmdet.models.task_modules.samplers import OHEMSampler

    head = with_supervision(heads[1], type='BoxMix')
    head.sampler = object.__new__(OHEMSampler)
    with pytest.raises(TypeError, match='cannot sample with OHEMSampler'):
        losses(head, predictions(), mixed(batch_a, batch_b, [0.7] * 3))


# --- LossMix ----------------------------------------------------------------


@pytest.mark.parametrize('sampler', [ALL, FEW], ids=['all', 'few'])
@pytest.mark.parametrize('lam', [0.0, 0.25, 0.7, 1.0])
def test_lossmix_is_the_weighted_sum_of_stock_losses(batch_a, batch_b, sampler, lam):
    """Identity 17; the component passes draw one after the other."""
    stock, mix = build_heads(sampler)
    preds = predictions()
    head = with_supervision(mix, type='LossMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3), seed=5)
    torch.manual_seed(5)
    sides = [total(stock.loss_by_feat(*preds, *batch)) for batch in (batch_a, batch_b)]
    want = {n: lam * sides[0][n] + (1 - lam) * sides[1][n] for n in sides[0]}
    close(got, want, rtol=1e-6, atol=0)


def sample_size(owner):
    """Stock normaliser of one image when every anchor is sampled."""
    return max((owner >= 0).sum(), 1) + max((owner == NEGATIVE).sum(), 1)


@pytest.mark.parametrize('lams', [(0.15, 0.6, 0.95), (0.4, 0.0, 1.0)], ids=str)
def test_lossmix_weights_each_image(heads, batch_a, batch_b, lams):
    """Identities 18 and 19: single images with the batch's normaliser."""
    stock, mix = heads
    preds = predictions()
    got = losses(
        with_supervision(mix, type='LossMix'), preds, mixed(batch_a, batch_b, lams)
    )
    want = {'loss_rpn_cls': 0.0, 'loss_rpn_bbox': 0.0}
    for batch, weights in ((batch_a, lams), (batch_b, [1 - lam for lam in lams])):
        sizes = [sample_size(owner) for (owner,) in owners_of(flat_anchors(mix), batch)]
        for i, weight in enumerate(weights):
            single = [[level[i : i + 1] for level in maps] for maps in preds]
            one = Annotations([batch.gt_instances[i]], [batch.metas[i]], [None])
            part = losses(stock, single, one)
            for name in want:
                want[name] = want[name] + weight * sizes[i] / sum(sizes) * part[name]
    close(got, want, rtol=1e-5, atol=0)


def test_lossmix_lam_of_one_image_leaves_the_others_alone(heads, batch_a, batch_b):
    """Identity 18, gradients."""
    head = with_supervision(heads[1], type='LossMix')
    gradients = []
    for lams in ((0.2, 0.6, 0.9), (0.7, 0.6, 0.9)):
        preds = predictions()
        parts = losses(head, preds, mixed(batch_a, batch_b, lams))
        sum(parts.values()).backward()
        gradients.append(flat([p.grad for p in preds[0]], 1))
    assert torch.equal(gradients[0][1:], gradients[1][1:])
    assert not torch.equal(gradients[0][0], gradients[1][0])


def test_lossmix_is_linear_in_lam(random_heads, batch_a, batch_b):
    """Identity 20, same samples under a seed."""
    head = with_supervision(random_heads[1], type='LossMix')
    preds = predictions()
    at = {
        lam: losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
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
def test_lossmix_term_switches(heads, batch_a, batch_b, cls, reg):
    """Identity 21: a switched-off term is Union's."""
    _, mix = heads
    preds = predictions()
    batch = mixed(batch_a, batch_b, (0.2, 0.6, 0.9))
    head = with_supervision(mix, type='LossMix', cls=bool(cls), reg=bool(reg))
    full = with_supervision(mix, type='LossMix').loss_by_feat(*preds, *batch)
    union = with_supervision(mix, type='Union').loss_by_feat(*preds, *batch)
    want = {
        'loss_rpn_cls': (full if cls else union)['loss_rpn_cls'],
        'loss_rpn_bbox': (full if reg else union)['loss_rpn_bbox'],
    }
    identical(head.loss_by_feat(*preds, *batch), want)
    for name in want:
        assert not torch.equal(full[name][0], union[name][0])


@pytest.mark.parametrize('kind', ['LossMix', 'BoxMix'])
def test_components_of_a_partly_mixed_batch(heads, batch_a, batch_b, kind):
    """An unmixed image gets its stock terms, but for the batch's normaliser."""
    stock, mix = heads
    batch = mixed(batch_a, batch_b, (0.4, 1.0, 0.4))
    batch.gt_instances[1] = batch_a.gt_instances[1]
    batch.metas[1] = batch_a.metas[1]
    preds = predictions()
    sum(losses(with_supervision(mix, type=kind), preds, batch).values()).backward()
    single = [
        [level.detach()[1:2].requires_grad_() for level in maps] for maps in preds
    ]
    one = Annotations([batch_a.gt_instances[1]], [batch_a.metas[1]], [None])
    sum(losses(stock, single, one).values()).backward()
    for maps, own, channels in zip(preds, single, (1, 4)):
        got = flat([p.grad[1:2] for p in maps], channels)
        want = flat([p.grad for p in own], channels)
        assert torch.equal(got == 0, want == 0)
        ratio = got[want != 0] / want[want != 0]
        assert 0.2 < ratio[0] < 0.5
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))


# --- Union, WeightedUnion -----------------------------------------------------


@pytest.mark.parametrize('supervision', [None, dict(type='Union')])
def test_union_is_stock_on_all_boxes(batch_a, batch_b, supervision):
    """Identity 22: λ does not matter, and None behaves as Union."""
    stock, mix = build_heads()
    if supervision:
        mix = with_supervision(mix, **supervision)
    preds = predictions()
    unions = [mixed(batch_a, batch_b, [lam] * 3) for lam in (0.1, 0.9)]
    want = stock.loss_by_feat(*preds, *unions[0])
    for union in unions:
        identical(mix.loss_by_feat(*preds, *union), want)


@pytest.mark.parametrize('border', [-1, 0])
def test_weighted_union_scales_positives_by_their_box(batch_a, batch_b, border):
    """Positives × weight, negatives × 1, the stock normaliser."""
    _, mix = build_heads(allowed_border=border)
    lams = (0.2, 0.65, 0.9)
    batch = mixed(batch_a, batch_b, lams)
    preds = predictions()
    got = losses(with_supervision(mix, type='WeightedUnion'), preds, batch)
    anchors = flat_anchors(mix)
    inside = inside_of(anchors, border)
    logits = flat(preds[0], 1).detach().double().numpy()[:, inside, 0]
    deltas = flat(preds[1], 4).detach().double().numpy()[:, inside]
    anchors = anchors[inside]
    cls_sum = reg_sum = count = 0.0
    for i, (instances, lam) in enumerate(zip(batch.gt_instances, lams)):
        boxes = instances.bboxes.numpy()
        owner = assign(anchors, boxes, **THRESHOLDS)
        weight = np.where(instances.mix_ids.numpy() == 0, lam, 1 - lam)[owner]
        weight = np.where(owner >= 0, weight, owner == NEGATIVE)
        hard = (owner >= 0).astype(float)
        cls_sum += (weight * binary_entropy(logits[i], hard)).sum()
        for anchor in (owner >= 0).nonzero()[0]:
            target = offset(anchors[anchor], boxes[owner[anchor]])
            reg_sum += weight[anchor] * np.abs(deltas[i][anchor] - target).sum()
        count += sample_size(owner)
    assert got['loss_rpn_cls'].item() == pytest.approx(cls_sum / count, rel=2e-5)
    assert got['loss_rpn_bbox'].item() == pytest.approx(reg_sum / count, rel=2e-5)


# --- Relations between supervisions -------------------------------------------


@pytest.mark.parametrize('lam', [0.3, 0.8])
def test_boxmix_cls_is_lossmix_cls_where_nothing_is_ignored(batch_a, batch_b, lam):
    """Identity 25: every anchor in the sample, hence one shared normaliser."""
    stock, mix = build_heads(assigner=dict(neg_iou_thr=0.5))
    preds = predictions()
    union = mixed(batch_a, batch_b, [lam] * 3)
    got, want = (
        losses(with_supervision(mix, type=kind), preds, union)['loss_rpn_cls']
        for kind in ('BoxMix', 'LossMix')
    )
    torch.testing.assert_close(got, want, rtol=1e-6, atol=0)
    assert got != losses(stock, preds, union)['loss_rpn_cls']


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
    _, mix = build_heads(assigner=dict(neg_iou_thr=0.5))
    boxes = torch.tensor([[4.0, 4.0, 20.0, 20.0]])
    moved = boxes + 32.0
    sides = [annotations((1,), seed=seed, size=SIZE) for seed in (1, 2)]
    for side, box in zip(sides, (boxes, moved)):
        side.gt_instances[0].bboxes = box
    batch = mixed(*map(class_agnostic, sides), [0.7])
    head = with_supervision(mix, type=supervision)
    preds = predictions(1, scale=0.0)
    optimizer = torch.optim.Adam(preds[0], lr=0.5)
    for _ in range(80):
        optimizer.zero_grad()
        losses(head, preds, batch)['loss_rpn_cls'].backward()
        optimizer.step()
    probs = flat(preds[0], 1)[0, :, 0].sigmoid().detach()
    anchors = flat_anchors(mix)
    for box, want in ((boxes, own), (moved, other)):
        owner = assign(anchors, box.numpy(), 0.5, 0.5, 0.3)
        assert (owner >= 0).sum()
        np.testing.assert_allclose(probs[owner >= 0], want, atol=0.01)


def test_lossmix_takes_three_components_boxmix_refuses(heads, batch_a, batch_b):
    stock, mix = heads
    weights = (0.5, 0.3, 0.2)
    sides = [
        batch_a,
        batch_b,
        class_agnostic(annotations((1, 2, 3), seed=9, size=SIZE)),
    ]
    three = mixed(batch_a, batch_b, [0.5] * 3)
    for i, union in enumerate(three.gt_instances):
        extra = sides[2].gt_instances[i].new()
        extra.mix_ids = torch.full((len(extra),), 2)
        three.gt_instances[i] = InstanceData.cat([union, extra])
        three.metas[i]['mix_weights'] = weights
    preds = predictions()
    got = losses(with_supervision(mix, type='LossMix'), preds, three)
    parts = [losses(stock, preds, side) for side in sides]
    want = {n: sum(w * p[n] for w, p in zip(weights, parts)) for n in parts[0]}
    close(got, want, rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match='two components, got 3'):
        losses(with_supervision(mix, type='BoxMix'), preds, three)


def test_ignored_boxes_stay_with_their_component(batch_a, batch_b):
    """An anchor ignored in one component keeps the other component's term."""
    stock, mix = build_heads(assigner=dict(ignore_iof_thr=0.5))
    ignored = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 32.0, 64.0]]))
    ignored.labels = torch.tensor([0])
    with_ignored = batch_a._replace(ignored=[ignored] * 3)
    tagged = ignored.new()
    tagged.mix_ids = torch.tensor([0])
    preds = predictions()
    sides = [losses(stock, preds, side) for side in (with_ignored, batch_b)]
    assert sides[0] != losses(stock, preds, batch_a)

    def loss_at(lam, kind):
        batch = mixed(batch_a, batch_b, [lam] * 3)._replace(ignored=[tagged] * 3)
        return losses(with_supervision(mix, type=kind), preds, batch)

    want = {n: 0.3 * sides[0][n] + 0.7 * sides[1][n] for n in sides[0]}
    close(loss_at(0.3, 'LossMix'), want, rtol=1e-5, atol=0)
    for lam in (0.0, 1.0):
        want = sides[0 if lam else 1]
        close(loss_at(lam, 'BoxMix'), want, atol=1e-6, rtol=1e-6)
    for level in preds[0]:
        level.grad = None
    loss_at(0.3, 'BoxMix')['loss_rpn_cls'].backward()
    touched = flat([p.grad for p in preds[0]], 1)[..., 0] != 0
    anchors = flat_anchors(mix)
    covered = np.minimum(anchors[:, 2], 32) - np.maximum(anchors[:, 0], 0)
    height = np.minimum(anchors[:, 3], 64) - np.maximum(anchors[:, 1], 0)
    area = np.prod(anchors[:, 2:] - anchors[:, :2], axis=1)
    inside = covered.clip(0) * height.clip(0) > 0.501 * area
    for i, (owner,) in enumerate(owners_of(anchors, batch_b)):
        np.testing.assert_array_equal(touched[i].numpy()[inside], owner[inside] >= 0)


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=str)
def test_autocast_keeps_the_loss_in_float32(heads, batch_a, batch_b, supervision):
    head = with_supervision(heads[1], **supervision)
    batch = mixed(batch_a, batch_b, (0.9, 0.3, 0.501))
    feats = [torch.randn(3, 4, side, side) for side in SIDES]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        preds = head(feats)
        assert preds[0][0].dtype == torch.bfloat16
        got = losses(head, preds, batch)
    want = losses(head, [[m.float() for m in maps] for maps in preds], batch)
    for name in want:
        assert got[name].dtype == torch.float32
    close(got, want, rtol=2e-2, atol=1e-3)
