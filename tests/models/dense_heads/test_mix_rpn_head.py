"""What is particular to MixRPNHead: one draw of anchors, some ignored, no classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import mixed, samples_of, total, with_supervision
from tests.models.conformance.case import arrays, close, flat, ignoring
from tests.models.conformance.rpn import (
    ALL,
    RPN,
    SIDES,
    THRESHOLDS,
    inside_of,
    owners_of,
    sample_size,
)

from .reference import offset
from .rpn_reference import (
    NEGATIVE,
    assign,
    binary_entropy,
    merged_sample,
    soft_objectness,
)


@pytest.fixture(scope='module')
def heads():
    """Heads that sample every anchor."""
    return RPN.build()


@pytest.fixture(scope='module')
def sides():
    return RPN.sides()


def test_proposals_are_stock(heads, sides):
    stock, mix = heads
    mix.load_state_dict(stock.state_dict(), strict=True)
    feats = [torch.randn(3, 4, side, side) for side in SIDES]
    batch = mixed(*sides, (0.2, 0.6, 0.9))
    head = with_supervision(mix, type='LossMix')
    samples = samples_of(batch)
    for sample in samples:
        sample.ignored_instances.mix_ids = sample.ignored_instances.mix_ids[:0]
    got, proposals = head.loss_and_predict(feats, samples, mix.test_cfg)
    _, want = stock.loss_and_predict(feats, samples, mix.test_cfg)
    close(total(got), RPN.totals(head, head(feats), batch), rtol=1e-6, atol=0)
    for p, w in zip(proposals, want):
        assert torch.equal(p.bboxes, w.bboxes)


# --- BoxMix -----------------------------------------------------------------


def test_the_reference_meets_every_kind_of_anchor(heads, sides):
    """Every pair of positive, negative and ignored; the comparison sees them all."""
    kinds = {
        tuple(min(owner, 0) for owner in pair)
        for pairs in owners_of(RPN.anchors(heads[1]), *sides)
        for pair in zip(*pairs)
    }
    assert len(kinds) == 9


@pytest.mark.parametrize('lam', [0.0, 0.2, 1.0])
def test_soft_objectness_is_a_probability(heads, sides, lam):
    """Identities 8 and 9, on the reference that the loss is compared with."""
    for pair in owners_of(RPN.anchors(heads[1]), *sides):
        soft = soft_objectness(pair, lam)
        assert ((soft >= 0) & (soft <= 1)).all()
        if lam in (0.0, 1.0):
            np.testing.assert_array_equal(soft, pair[int(1 - lam)] >= 0)
        logits = np.random.default_rng(0).normal(size=len(soft))
        hard = [binary_entropy(logits, (owner >= 0).astype(float)) for owner in pair]
        np.testing.assert_allclose(
            binary_entropy(logits, soft), lam * hard[0] + (1 - lam) * hard[1], 1e-6
        )


@pytest.mark.parametrize('lam', [0.7, 0.5])
def test_boxmix_draws_once_from_the_merged_assignment(sides, lam):
    """One sample of ``num`` anchors, half of them positive in a component."""
    _, mix = RPN.build(sampler=dict(ALL, num=8))
    preds, batch = RPN.predictions(), mixed(*sides, [lam] * 3)
    RPN.totals(RPN.boxmix(mix), preds, batch)['loss_rpn_cls'].backward()
    touched = flat([p.grad for p in preds[0]], 1)[..., 0] != 0
    drawn_from_other = 0
    owners = owners_of(RPN.anchors(mix), *sides)
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


def test_boxmix_refuses_to_mine(heads, sides):
    from mmdet.models.task_modules.samplers import OHEMSampler

    head = RPN.boxmix(heads[1])
    head.sampler = object.__new__(OHEMSampler)
    with pytest.raises(TypeError, match='cannot sample with OHEMSampler'):
        RPN.losses(head, RPN.predictions(), mixed(*sides, [0.7] * 3))


def test_an_anchor_that_one_component_ignores_is_the_others(sides):
    """Of the anchors in a box to ignore, positives of the other component count."""
    _, mix = RPN.build(**RPN.ignoring['all'])
    box, preds = (0.0, 0.0, 32.0, 64.0), RPN.predictions()
    batch = ignoring(mixed(*sides, [0.3] * 3), box, 0)
    RPN.totals(RPN.boxmix(mix), preds, batch)['loss_rpn_cls'].backward()
    touched = flat([p.grad for p in preds[0]], 1)[..., 0] != 0
    anchors = RPN.anchors(mix)
    covered = np.minimum(anchors[:, 2], 32) - np.maximum(anchors[:, 0], 0)
    height = np.minimum(anchors[:, 3], 64) - np.maximum(anchors[:, 1], 0)
    area = np.prod(anchors[:, 2:] - anchors[:, :2], axis=1)
    inside = covered.clip(0) * height.clip(0) > 0.501 * area
    for i, (owner,) in enumerate(owners_of(anchors, sides[1])):
        np.testing.assert_array_equal(touched[i].numpy()[inside], owner[inside] >= 0)


# --- WeightedUnion ------------------------------------------------------------


@pytest.mark.parametrize('border', [-1, 0])
def test_weighted_union_scales_positives_by_their_box(sides, border):
    """Positives × weight, negatives × 1, the stock normaliser."""
    _, mix = RPN.build(allowed_border=border)
    lams = (0.2, 0.65, 0.9)
    batch, preds = mixed(*sides, lams), RPN.predictions()
    got = RPN.totals(with_supervision(mix, type='WeightedUnion'), preds, batch)
    anchors = RPN.anchors(mix)
    inside = inside_of(anchors, border)
    logits = arrays(flat(preds[0], 1))[:, inside, 0]
    deltas = arrays(flat(preds[1], 4))[:, inside]
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
        count += sample_size(owner >= 0, owner == NEGATIVE)
    assert got['loss_rpn_cls'].item() == pytest.approx(cls_sum / count, rel=2e-5)
    assert got['loss_rpn_bbox'].item() == pytest.approx(reg_sum / count, rel=2e-5)
