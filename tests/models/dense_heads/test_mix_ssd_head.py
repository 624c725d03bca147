"""Identities of MixSSDHead (methods 8-15 and 17-25), against stock mmdet."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import cat_boxes
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmmix.models.supervisions import build_supervision
from mmmix.structures import Annotations, split_components
from tests.helpers import (
    NUM_CLASSES,
    annotations,
    build_heads,
    mixed,
    predictions,
    total,
    with_supervision,
)

from .reference import boxmix_loss, cls_loss, match, offset, smooth_l1, soft_labels

RULES = ('dominant', 'any', 'factored')
COUNTS_A, COUNTS_B = (3, 1, 4), (2, 5, 1)


@pytest.fixture(scope='module')
def batch_a():
    return annotations(COUNTS_A, seed=1)


@pytest.fixture(scope='module')
def batch_b():
    return annotations(COUNTS_B, seed=2)


def losses(head, preds, batch):
    """Named totals of a head on a batch."""
    return total(head.loss_by_feat(*preds, *batch))


def flat_anchors(head):
    """All anchors, (A, 4)."""
    sizes = [(side, side) for side in (38, 19, 10, 5, 3, 1)]
    return cat_boxes(head.prior_generator.grid_priors(sizes, device='cpu'))


def flat(maps, channels):
    """(N, A, channels) in the order of the anchors."""
    return torch.cat(
        [m.permute(0, 2, 3, 1).reshape(len(m), -1, channels) for m in maps], 1
    )


def close(got, want, **tolerance):
    """Every named loss agrees."""
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], **tolerance)


@pytest.mark.parametrize(
    'supervision',
    [dict(type='Union'), dict(type='WeightedUnion'), dict(type='LossMix')]
    + [dict(type='BoxMix', positives=rule) for rule in RULES],
    ids=str,
)
def test_unmixed_samples_are_bit_identical_to_stock(heads, batch_a, supervision):
    stock, mix = heads
    preds = predictions(3)
    want = stock.loss_by_feat(*preds, *batch_a)
    got = with_supervision(mix, **supervision).loss_by_feat(*preds, *batch_a)
    for name in want:
        assert all(torch.equal(g, w) for g, w in zip(got[name], want[name]))


def test_state_dict_keys_and_prediction_repair(heads):
    stock, mix = heads
    assert list(stock.state_dict()) == list(mix.state_dict())
    mix.load_state_dict(stock.state_dict(), strict=True)
    scores, deltas = ([m.detach() for m in maps] for maps in predictions(1))
    meta = dict(img_shape=(300, 300), scale_factor=(1.0, 1.0))
    with pytest.raises(AttributeError, match='loss_cls'):
        stock.predict_by_feat(scores, deltas, batch_img_metas=[meta])
    result = mix.predict_by_feat(scores, deltas, batch_img_metas=[meta])[0]
    probs = flat(scores, NUM_CLASSES + 1)[0].softmax(-1)[:, :-1]
    assert result.scores[0] == pytest.approx(float(probs.max()), abs=1e-6)


# --- BoxMix -----------------------------------------------------------------


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('lams', [(0.9, 0.3, 0.5), (0.5001, 0.7, 0.02)], ids=str)
def test_boxmix_equals_the_slow_reference(heads, batch_a, batch_b, rule, lams):
    _, mix = heads
    preds = predictions(3, seed=3)
    got = losses(
        with_supervision(mix, type='BoxMix', positives=rule),
        preds,
        mixed(batch_a, batch_b, lams),
    )
    logits = flat(preds[0], NUM_CLASSES + 1).detach().double().numpy()
    deltas = flat(preds[1], 4).detach().double().numpy()
    components = [
        [(i.bboxes.numpy(), i.labels.numpy()) for i in batch.gt_instances]
        for batch in (batch_a, batch_b)
    ]
    want = boxmix_loss(
        logits, deltas, flat_anchors(mix).numpy(), components, lams, rule
    )
    assert got['loss_cls'].item() == pytest.approx(want[0], rel=2e-5)
    assert got['loss_bbox'].item() == pytest.approx(want[1], rel=2e-5)


@pytest.mark.parametrize('lam', [0.0, 0.2, 1.0])
def test_soft_labels_are_distributions(heads, batch_a, batch_b, lam):
    """Identity 8, on the reference that the loss is compared with."""
    anchors = flat_anchors(heads[1]).numpy()
    pair = [b.gt_instances[0] for b in (batch_a, batch_b)]
    owners = [match(anchors, i.bboxes.numpy()) for i in pair]
    labels = [i.labels.numpy() for i in pair]
    soft = soft_labels(owners, labels, lam, NUM_CLASSES)
    assert (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(1), 1.0, atol=1e-6)
    if lam in (0.0, 1.0):
        side = 0 if lam == 1.0 else 1
        hard = soft_labels([owners[side]] * 2, [labels[side]] * 2, 1.0, NUM_CLASSES)
        np.testing.assert_array_equal(soft, hard)


@pytest.mark.parametrize('rule', ['dominant', 'factored'])
@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_stock_limits(heads, batch_a, batch_b, rule, lam):
    """Identity 10."""
    stock, mix = heads
    preds = predictions(3)
    union = mixed(batch_a, batch_b, [lam] * 3)
    head = with_supervision(mix, type='BoxMix', positives=rule)
    want = losses(stock, preds, batch_a if lam == 1.0 else batch_b)
    close(losses(head, preds, union), want, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('lam', [0.1, 0.5, 0.8])
def test_boxmix_of_a_sample_with_itself_is_stock(heads, batch_a, rule, lam):
    """Identity 11."""
    stock, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix', positives=rule)
    got = losses(head, preds, mixed(batch_a, batch_a, [lam] * 3))
    close(got, losses(stock, preds, batch_a), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_boxmix_regresses_the_dominant_component_only(
    heads, batch_a, batch_b, lam, side
):
    """Identity 12."""
    _, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix')
    losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))['loss_bbox'].backward()
    gradient = flat([p.grad for p in preds[1]], 4).abs().sum(-1) > 0
    anchors = flat_anchors(mix).numpy()
    for i, instances in enumerate((batch_a, batch_b)[side].gt_instances):
        owner = match(anchors, instances.bboxes.numpy())
        np.testing.assert_array_equal(gradient[i].numpy(), owner >= 0)


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('counts', [(1, 1), (2, 3), (30, 30), (0, 2), (0, 0)])
def test_boxmix_mines_three_negatives_per_positive(heads, rule, counts):
    """Identity 13: counted through the gradient of the class scores."""
    _, mix = heads
    first, second = annotations(counts[:1], seed=5), annotations(counts[1:], seed=6)
    preds = predictions(1, seed=7)
    lam = 0.8
    head = with_supervision(mix, type='BoxMix', positives=rule)
    got = losses(head, preds, mixed(first, second, [lam]))
    got['loss_cls'].backward()
    touched = flat([p.grad for p in preds[0]], NUM_CLASSES + 1).abs().sum(-1)[0] > 0
    anchors = flat_anchors(mix).numpy()
    pair = [b.gt_instances[0] for b in (first, second)]
    owners = [match(anchors, i.bboxes.numpy()) for i in pair]
    labels = [i.labels.numpy() for i in pair]
    logits = flat(preds[0], NUM_CLASSES + 1)[0].detach().double().numpy()
    soft = soft_labels(owners, labels, lam, NUM_CLASSES)
    _, n, mined = cls_loss(logits, soft, owners, lam, rule)
    assert mined == min(round(3 * n), mined)
    positive = {
        'dominant': owners[0] >= 0,
        'any': (owners[0] >= 0) | (owners[1] >= 0),
        'factored': (owners[0] >= 0) | (owners[1] >= 0),
    }[rule]
    if rule == 'factored':
        # Matched anchors also carry background mass and may be mined as such.
        assert positive.sum() <= touched.sum() <= positive.sum() + mined
    else:
        assert int(touched.sum()) == int(positive.sum()) + mined
    assert torch.isfinite(got['loss_cls'])
    assert torch.isfinite(got['loss_bbox'])


@pytest.mark.parametrize('rule', RULES)
def test_boxmix_is_symmetric(heads, batch_a, batch_b, rule):
    """Identity 14."""
    head = with_supervision(heads[1], type='BoxMix', positives=rule)
    preds = predictions(3)
    lams = (0.9, 0.35, 0.6)
    got = losses(head, preds, mixed(batch_a, batch_b, lams))
    swapped = mixed(batch_b, batch_a, [1 - lam for lam in lams])
    close(got, losses(head, preds, swapped), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize('rule', RULES)
def test_boxmix_with_empty_components(heads, rule):
    """Identity 15: an empty partner is background, an empty pair gives no loss."""
    head = with_supervision(heads[1], type='BoxMix', positives=rule)
    full, empty = annotations((3,), seed=1), annotations((0,), seed=1)
    preds = predictions(1)
    logits = flat(preds[0], NUM_CLASSES + 1).detach().double().numpy()
    anchors = flat_anchors(head).numpy()
    pair = [full.gt_instances[0], empty.gt_instances[0]]
    owners = [match(anchors, i.bboxes.numpy()) for i in pair]
    labels = [i.labels.numpy() for i in pair]
    soft = soft_labels(owners, labels, 0.7, NUM_CLASSES)
    assert soft[owners[0] >= 0][:, -1] == pytest.approx(0.3)
    want, n, _ = cls_loss(logits[0], soft, owners, 0.7, rule)
    got = losses(head, preds, mixed(full, empty, [0.7]))
    assert got['loss_cls'].item() == pytest.approx(want / max(n, 1), rel=2e-5)
    nothing = losses(head, preds, mixed(empty, empty, [0.7]))
    assert nothing['loss_cls'].item() == nothing['loss_bbox'].item() == 0.0


# --- LossMix ----------------------------------------------------------------


@pytest.mark.parametrize('lam', [0.0, 0.25, 0.7, 1.0])
def test_lossmix_is_the_weighted_sum_of_stock_losses(heads, batch_a, batch_b, lam):
    """Identity 17."""
    stock, mix = heads
    preds = predictions(3)
    head = with_supervision(mix, type='LossMix')
    got = losses(head, preds, mixed(batch_a, batch_b, [lam] * 3))
    sides = [losses(stock, preds, batch) for batch in (batch_a, batch_b)]
    want = {n: lam * sides[0][n] + (1 - lam) * sides[1][n] for n in sides[0]}
    close(got, want, rtol=1e-6, atol=0)


def test_lossmix_weights_each_image(heads, batch_a, batch_b):
    """Identity 18: single-image losses with the batch's normaliser."""
    stock, mix = heads
    lams = (0.15, 0.6, 0.95)
    preds = predictions(3)
    got = losses(
        with_supervision(mix, type='LossMix'), preds, mixed(batch_a, batch_b, lams)
    )
    want = {'loss_cls': 0.0, 'loss_bbox': 0.0}
    anchors = flat_anchors(mix).numpy()
    for batch, weights in ((batch_a, lams), (batch_b, [1 - lam for lam in lams])):
        counts = [
            max(int((match(anchors, i.bboxes.numpy()) >= 0).sum()), 1)
            for i in batch.gt_instances
        ]
        for i, weight in enumerate(weights):
            single = [[level[i : i + 1] for level in maps] for maps in preds]
            one = Annotations([batch.gt_instances[i]], [batch.metas[i]], [None])
            part = losses(stock, single, one)
            for name in want:
                scale = weight * counts[i] / sum(counts)
                want[name] = want[name] + scale * part[name]
    close(got, want, rtol=1e-5, atol=0)


def test_lossmix_lam_of_one_image_leaves_the_others_alone(heads, batch_a, batch_b):
    """Identity 18, gradients: exact."""
    head = with_supervision(heads[1], type='LossMix')
    gradients = []
    for lams in ((0.2, 0.6, 0.9), (0.7, 0.6, 0.9)):
        preds = predictions(3)
        parts = losses(head, preds, mixed(batch_a, batch_b, lams))
        sum(parts.values()).backward()
        gradients.append(flat([p.grad for p in preds[0]], NUM_CLASSES + 1))
    assert torch.equal(gradients[0][1:], gradients[1][1:])
    assert not torch.equal(gradients[0][0], gradients[1][0])


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_lossmix_extreme_lam_keeps_the_normaliser(heads, batch_a, batch_b, lam):
    """Identity 19: weight 0 drops an image's terms, not its share of n."""
    stock, mix = heads
    head = with_supervision(mix, type='LossMix')
    preds = predictions(3)
    got = head.loss_by_feat(*preds, *mixed(batch_a, batch_b, (0.4, lam, 0.4)))
    full = [stock.loss_by_feat(*preds, *batch) for batch in (batch_a, batch_b)]
    for name in got:
        want = 0.4 * full[0][name][0] + 0.6 * full[1][name][0]
        torch.testing.assert_close(got[name][0], want)
        torch.testing.assert_close(got[name][1], full[0 if lam else 1][name][1])


def test_lossmix_is_linear_in_lam(heads, batch_a, batch_b):
    """Identity 20."""
    head = with_supervision(heads[1], type='LossMix')
    preds = predictions(3)
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
    preds = predictions(3)
    batch = mixed(batch_a, batch_b, (0.2, 0.6, 0.9))
    head = with_supervision(mix, type='LossMix', cls=bool(cls), reg=bool(reg))
    got = head.loss_by_feat(*preds, *batch)
    full = with_supervision(mix, type='LossMix').loss_by_feat(*preds, *batch)
    union = with_supervision(mix, type='Union').loss_by_feat(*preds, *batch)
    want = {
        'loss_cls': (full if cls else union)['loss_cls'],
        'loss_bbox': (full if reg else union)['loss_bbox'],
    }
    for name in want:
        assert all(torch.equal(g, w) for g, w in zip(got[name], want[name]))
        assert not torch.equal(full[name][0], union[name][0])


def test_lossmix_takes_three_components_boxmix_refuses(heads, batch_a, batch_b):
    stock, mix = heads
    weights = (0.5, 0.3, 0.2)
    sides = [batch_a, batch_b, annotations((1, 2, 3), seed=9)]
    three = mixed(sides[0], sides[1], [0.5] * 3)
    for i, union in enumerate(three.gt_instances):
        extra = sides[2].gt_instances[i]
        merged = InstanceData(
            bboxes=torch.cat([union.bboxes, extra.bboxes]),
            labels=torch.cat([union.labels, extra.labels]),
            mix_ids=torch.cat([union.mix_ids, torch.full((len(extra),), 2)]),
        )
        three.gt_instances[i] = merged
        three.metas[i]['mix_weights'] = weights
    preds = predictions(3)
    got = losses(with_supervision(mix, type='LossMix'), preds, three)
    parts = [losses(stock, preds, side) for side in sides]
    want = {n: sum(w * p[n] for w, p in zip(weights, parts)) for n in parts[0]}
    close(got, want, rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match='two components, got 3'):
        losses(with_supervision(mix, type='BoxMix'), preds, three)


# --- Union, WeightedUnion, Noise ---------------------------------------------


@pytest.mark.parametrize('supervision', [None, dict(type='Union')])
def test_union_is_stock_on_all_boxes(batch_a, batch_b, supervision):
    """Identity 22: λ does not matter, and None behaves as Union."""
    stock, mix = build_heads()
    if supervision:
        mix = with_supervision(mix, **supervision)
    preds = predictions(3)
    unions = [mixed(batch_a, batch_b, [lam] * 3) for lam in (0.1, 0.9)]
    want = stock.loss_by_feat(*preds, *unions[0])
    for union in unions:
        got = mix.loss_by_feat(*preds, *union)
        for name in want:
            assert all(torch.equal(g, w) for g, w in zip(got[name], want[name]))


def test_weighted_union_scales_positives_by_their_box(heads, batch_a, batch_b):
    """Positives × weight, negatives × 1, stock mining and normaliser."""
    stock, mix = heads
    lams = (0.2, 0.65, 0.9)
    batch = mixed(batch_a, batch_b, lams)
    preds = predictions(3)
    got = losses(with_supervision(mix, type='WeightedUnion'), preds, batch)
    logits = flat(preds[0], NUM_CLASSES + 1).detach().double().numpy()
    deltas = flat(preds[1], 4).detach().double().numpy()
    anchors = flat_anchors(mix).numpy()
    cls_sum = reg_sum = count = 0.0
    for i, (instances, lam) in enumerate(zip(batch.gt_instances, lams)):
        boxes = instances.bboxes.numpy()
        owner = match(anchors, boxes)
        positive = (owner >= 0).nonzero()[0]
        weight = np.where(instances.mix_ids[owner[positive]] == 0, lam, 1 - lam)
        entropy = np.logaddexp.reduce(logits[i], axis=1)
        label = np.where(owner >= 0, instances.labels.numpy()[owner], NUM_CLASSES)
        entropy = entropy - logits[i][np.arange(len(label)), label]
        negatives = np.sort(entropy[owner < 0])[::-1][: 3 * len(positive)]
        cls_sum += (weight * entropy[positive]).sum() + negatives.sum()
        for w, anchor in zip(weight, positive):
            target = offset(anchors[anchor], boxes[owner[anchor]])
            reg_sum += w * smooth_l1(deltas[i][anchor] - target)
        count += len(positive)
    assert got['loss_cls'].item() == pytest.approx(cls_sum / count, rel=2e-5)
    assert got['loss_bbox'].item() == pytest.approx(reg_sum / count, rel=2e-5)
    even = losses(
        with_supervision(mix, type='WeightedUnion'),
        preds,
        mixed(batch_a, batch_b, [0.5] * 3),
    )
    stock_loss = losses(stock, preds, batch)
    torch.testing.assert_close(even['loss_bbox'], 0.5 * stock_loss['loss_bbox'])


# --- Relations between supervisions -------------------------------------------


@pytest.mark.parametrize('lam', [0.3, 0.8])
def test_boxmix_cls_is_lossmix_cls_without_mining(batch_a, batch_b, lam):
    """Identity 25: one shared n, and every negative kept."""
    stock, mix = build_heads(train_cfg=dict(neg_pos_ratio=10**6))
    preds = predictions(3)
    head = with_supervision(mix, type='BoxMix')
    union = mixed(batch_a, batch_b, [lam] * 3)
    got = losses(head, preds, union)['loss_cls']
    anchors = flat_anchors(mix).numpy()
    counts = [
        sum(
            int((match(anchors, i.bboxes.numpy()) >= 0).sum())
            for i in batch.gt_instances
        )
        for batch in (batch_a, batch_b)
    ]
    parts = [
        weight * losses(stock, preds, batch)['loss_cls'] * count
        for weight, batch, count in zip((lam, 1 - lam), (batch_a, batch_b), counts)
    ]
    want = sum(parts) / counts[0 if lam > 0.5 else 1]
    torch.testing.assert_close(got, want, rtol=1e-6, atol=0)


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
    _, mix = build_heads(train_cfg=dict(neg_pos_ratio=10**6))
    # Moved by a multiple of the strides they match at, so that n is the same.
    boxes = torch.tensor([[20.0, 40.0, 90.0, 120.0]])
    moved = boxes + torch.tensor([160.0, 0.0, 160.0, 0.0])
    sides = [annotations((1,), seed=seed) for seed in (1, 2)]
    for side, box, label in zip(sides, (boxes, moved), (3, 7)):
        side.gt_instances[0].bboxes = box
        side.gt_instances[0].labels = torch.tensor([label])
    batch = mixed(*sides, [0.7])
    head = with_supervision(mix, type=supervision)
    preds = predictions(1, scale=0.0)
    optimizer = torch.optim.Adam(preds[0], lr=0.5)
    for _ in range(150):
        optimizer.zero_grad()
        losses(head, preds, batch)['loss_cls'].backward()
        optimizer.step()
    probs = flat(preds[0], NUM_CLASSES + 1)[0].softmax(-1)
    anchors = flat_anchors(mix).numpy()
    for box, label, want in ((boxes, 3, own), (moved, 7, other)):
        matched = match(anchors, box.numpy()) >= 0
        np.testing.assert_allclose(probs[matched, label].detach(), want, atol=0.01)


def test_components_of_a_partly_mixed_batch(heads, batch_a, batch_b):
    """An unmixed image in a mixed batch gets its stock terms."""
    stock, mix = heads
    batch = mixed(batch_a, batch_b, (0.4, 1.0, 0.7))
    batch.gt_instances[1] = batch_a.gt_instances[1]
    batch.metas[1] = batch_a.metas[1]
    components = split_components(batch)
    assert [len(c.gt_instances) for c in components] == [3, 3]
    parts = build_supervision(dict(type='LossMix')).parts(batch)
    factors = [meta['loss_factors'] for meta in parts[1].metas]
    assert factors == [(0.6, 0.6), (0.0, 0.0), (1 - 0.7, 1 - 0.7)]
    preds = predictions(3)
    got = with_supervision(mix, type='LossMix').loss_by_feat(*preds, *batch)
    first = stock.loss_by_feat(*preds, *components[0])
    for name in got:
        torch.testing.assert_close(got[name][1], first[name][1])


def test_ignored_boxes_stay_with_their_component(batch_a, batch_b):
    """An anchor ignored in one component keeps the other component's term."""
    stock, mix = build_heads(
        train_cfg=ConfigDict(
            assigner=dict(
                type='MaxIoUAssigner',
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.0,
                ignore_iof_thr=0.5,
                gt_max_assign_all=False,
            )
        )
    )
    ignored = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 150.0, 300.0]]))
    ignored.labels = torch.tensor([0])
    with_ignored = batch_a._replace(ignored=[ignored] * 3)
    batch = mixed(batch_a, batch_b, [0.3] * 3)
    tagged = ignored.new()
    tagged.mix_ids = torch.tensor([0])
    batch = batch._replace(ignored=[tagged] * 3)
    preds = predictions(3)
    got = losses(with_supervision(mix, type='LossMix'), preds, batch)
    sides = [losses(stock, preds, side) for side in (with_ignored, batch_b)]
    assert sides[0] != losses(stock, preds, batch_a)
    want = {n: 0.3 * sides[0][n] + 0.7 * sides[1][n] for n in sides[0]}
    close(got, want, rtol=1e-5, atol=0)
    limit = mixed(batch_a, batch_b, [1.0] * 3)._replace(ignored=[tagged] * 3)
    boxmix = losses(with_supervision(mix, type='BoxMix'), preds, limit)
    close(boxmix, sides[0], atol=1e-6, rtol=1e-6)
