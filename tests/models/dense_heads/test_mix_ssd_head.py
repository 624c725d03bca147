"""What is particular to MixSSDHead: mined negatives and a normaliser of positives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmmix.models.supervisions import build_supervision
from mmmix.structures import split_components
from tests.helpers import NUM_CLASSES, annotations, mixed, predictions, with_supervision
from tests.models.conformance.case import arrays, flat
from tests.models.conformance.ssd import MANY, SSD

from .reference import match, offset, smooth_l1, soft_labels


@pytest.fixture(scope='module')
def sides():
    return SSD.sides()


def test_it_repairs_the_prediction(heads):
    stock, mix = heads
    scores, deltas = ([m.detach() for m in maps] for maps in predictions(1))
    meta = dict(img_shape=(300, 300), scale_factor=(1.0, 1.0))
    with pytest.raises(AttributeError, match='loss_cls'):
        stock.predict_by_feat(scores, deltas, batch_img_metas=[meta])
    result = mix.predict_by_feat(scores, deltas, batch_img_metas=[meta])[0]
    probs = flat(scores, NUM_CLASSES + 1)[0].softmax(-1)[:, :-1]
    assert result.scores[0] == pytest.approx(float(probs.max()), abs=1e-6)


# --- BoxMix -----------------------------------------------------------------


@pytest.mark.parametrize('lam', [0.0, 0.2, 1.0])
def test_soft_labels_are_distributions(heads, sides, lam):
    """Identity 8, on the reference that the loss is compared with."""
    anchors = SSD.anchors(heads[1])
    pair = [side.gt_instances[0] for side in sides]
    owners = [match(anchors, i.bboxes.numpy()) for i in pair]
    labels = [i.labels.numpy() for i in pair]
    soft = soft_labels(owners, labels, lam, NUM_CLASSES)
    assert (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(1), 1.0, atol=1e-6)
    if lam in (0.0, 1.0):
        side = 0 if lam == 1.0 else 1
        hard = soft_labels([owners[side]] * 2, [labels[side]] * 2, 1.0, NUM_CLASSES)
        np.testing.assert_array_equal(soft, hard)


@pytest.mark.parametrize('rule', SSD.rules)
@pytest.mark.parametrize('counts', [(1, 1), (2, 3), (30, 30), (0, 2), (0, 0)])
def test_boxmix_mines_three_negatives_per_positive(heads, rule, counts):
    """Identity 13: counted through the gradient of the class scores."""
    pair = annotations(counts[:1], seed=5), annotations(counts[1:], seed=6)
    preds, lam = predictions(1, seed=7), 0.8
    head = SSD.boxmix(heads[1], rule)
    got = SSD.totals(head, preds, mixed(*pair, [lam]))
    got['loss_cls'].backward()
    touched = flat([p.grad for p in preds[0]], NUM_CLASSES + 1).abs().sum(-1)[0] > 0
    positive, n, mined = SSD.mined(head, preds, pair, lam, rule)
    assert mined == min(round(3 * n), mined)
    if rule == 'factored':
        # Matched anchors also carry background mass and may be mined as such.
        assert positive.sum() <= touched.sum() <= positive.sum() + mined
    else:
        assert int(touched.sum()) == int(positive.sum()) + mined
    assert torch.isfinite(got['loss_cls'])
    assert torch.isfinite(got['loss_bbox'])


@pytest.mark.parametrize('rule', SSD.rules)
def test_boxmix_with_empty_components(heads, rule):
    """Identity 15: an empty partner is background, an empty pair gives no loss."""
    full, empty = annotations((3,), seed=1), annotations((0,), seed=1)
    pair = [side.gt_instances[0] for side in (full, empty)]
    owners = [match(SSD.anchors(heads[1]), i.bboxes.numpy()) for i in pair]
    soft = soft_labels(owners, [i.labels.numpy() for i in pair], 0.7, NUM_CLASSES)
    assert soft[owners[0] >= 0][:, -1] == pytest.approx(0.3)
    head = SSD.boxmix(heads[1], rule)
    nothing = SSD.totals(head, predictions(1), mixed(empty, empty, [0.7]))
    assert nothing['loss_cls'].item() == nothing['loss_bbox'].item() == 0.0


@pytest.mark.parametrize('lam', [0.3, 0.8])
def test_boxmix_cls_is_lossmix_cls_without_mining(sides, lam):
    """Identity 25: one shared n, and every negative kept."""
    stock, mix = SSD.build(neg_pos_ratio=MANY)
    preds = predictions(3)
    got = SSD.totals(SSD.boxmix(mix), preds, mixed(*sides, [lam] * 3))['loss_cls']
    counts = [sum(SSD.counts(mix, preds, [side])) for side in sides]
    parts = [
        weight * SSD.totals(stock, preds, side)['loss_cls'] * count
        for weight, side, count in zip((lam, 1 - lam), sides, counts)
    ]
    want = sum(parts) / counts[0 if lam > 0.5 else 1]
    torch.testing.assert_close(got, want, rtol=1e-6, atol=0)


# --- LossMix ----------------------------------------------------------------


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_lossmix_extreme_lam_keeps_the_normaliser(heads, sides, lam):
    """Identity 19: weight 0 drops an image's terms, not its share of n."""
    stock, mix = heads
    head = with_supervision(mix, type='LossMix')
    preds = predictions(3)
    got = head.loss_by_feat(*preds, *mixed(*sides, (0.4, lam, 0.4)))
    full = [stock.loss_by_feat(*preds, *side) for side in sides]
    for name in got:
        want = 0.4 * full[0][name][0] + 0.6 * full[1][name][0]
        torch.testing.assert_close(got[name][0], want)
        torch.testing.assert_close(got[name][1], full[0 if lam else 1][name][1])


def test_components_of_a_partly_mixed_batch(heads, sides):
    """An unmixed image in a mixed batch gets its stock terms."""
    stock, mix = heads
    batch = mixed(*sides, (0.4, 1.0, 0.7))
    batch.gt_instances[1] = sides[0].gt_instances[1]
    batch.metas[1] = sides[0].metas[1]
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


# --- WeightedUnion ------------------------------------------------------------


def test_weighted_union_scales_positives_by_their_box(heads, sides):
    """Positives × weight, negatives × 1, stock mining and normaliser."""
    stock, mix = heads
    lams = (0.2, 0.65, 0.9)
    batch, preds = mixed(*sides, lams), predictions(3)
    head = with_supervision(mix, type='WeightedUnion')
    got = SSD.totals(head, preds, batch)
    logits, deltas = arrays(flat(preds[0], NUM_CLASSES + 1)), arrays(flat(preds[1], 4))
    anchors = SSD.anchors(mix)
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
    even = SSD.totals(head, preds, mixed(*sides, [0.5] * 3))
    stock_loss = SSD.totals(stock, preds, batch)
    torch.testing.assert_close(even['loss_bbox'], 0.5 * stock_loss['loss_bbox'])
