"""LossMix is the weighted sum of the components' stock losses, image by image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.structures import Annotations
from tests.helpers import NUM_CLASSES, mixed, total, with_supervision

from .case import close, identical, weighted
from .cases import CASES, options


@pytest.mark.parametrize('lam', [0.0, 0.25, 0.7, 1.0])
@pytest.mark.parametrize(('case', 'settings'), options('samplers'))
def test_it_is_the_weighted_sum_of_stock_losses(case, settings, lam):
    """Identity 17; the component passes draw one after the other."""
    stock, mix = case.build(**settings)
    preds, sides = case.predictions(), case.sides()
    head = with_supervision(mix, type='LossMix')
    got = case.totals(head, preds, mixed(*sides, [lam] * 3), seed=5)
    torch.manual_seed(5)
    parts = [case.totals(stock, preds, side, seed=None) for side in sides]
    close(got, weighted(parts, (lam, 1 - lam)), rtol=1e-6, atol=0)
    assert all(parts[0][name] != parts[1][name] for name in got)


@pytest.mark.parametrize('lams', [(0.15, 0.6, 0.95), (0.4, 0.0, 1.0)], ids=str)
def test_it_weighs_each_image(case, heads, sides, lams):
    """Identities 18 and 19: single images with the batch's normaliser."""
    stock, mix = heads
    preds = case.predictions()
    head = with_supervision(mix, type='LossMix')
    got = case.totals(head, preds, mixed(*sides, lams))
    want = dict.fromkeys(got, 0.0)
    for side, weights in zip(sides, (lams, [1 - lam for lam in lams])):
        counts = case.counts(mix, preds, [side])
        shares = np.array(counts) / sum(counts) if counts else np.ones(3)
        for i, factor in enumerate(weights * shares):
            one = Annotations(side.gt_instances[i : i + 1], [side.metas[i]], [None])
            part = case.totals(stock, case.one(preds, i), one)
            for name in (*case.cls, *case.reg):
                want[name] = want[name] + factor * part[name]
        if 'acc' in got:
            full = case.totals(stock, preds, side)['acc']
            want['acc'] = want['acc'] + np.mean(weights) * full
    close(got, want, rtol=1e-5, atol=1e-7 if case.name == 'roi' else 0)


@pytest.mark.parametrize(
    ('case', 'kind'),
    [(case, kind) for case in CASES for kind in ('LossMix', 'WeightedUnion')]
    + [(case, 'BoxMix') for case in CASES if case.steady],
    ids=lambda value: getattr(value, 'name', value),
)
def test_lam_of_one_image_leaves_the_others_alone(case, kind):
    """Identity 18, gradients: exact."""
    head, sides = with_supervision(case.build()[1], type=kind), case.sides()
    preds = case.predictions()

    def gradients(lam):
        return case.gradients(head, preds, mixed(*sides, (lam, 0.6, 0.9)))

    first = gradients(0.2)
    # At 0 a component of BoxMix leaves the sample.
    for lam in (0.7,) if kind == 'BoxMix' else (0.7, 0.0):
        changed = [torch.equal(*pair) for pair in zip(first, gradients(lam))]
        assert changed == [False, True, True]


@pytest.mark.parametrize(
    'case', [c for c in CASES if c.has_classes], ids=lambda case: case.name
)
def test_labels_of_weight_0_do_not_count(case):
    """Identity 19, gradients: exact."""
    head, preds = with_supervision(case.build()[1], type='LossMix'), case.predictions()
    a, b = case.sides()
    renamed = [instances.new() for instances in a.gt_instances]
    renamed[0].labels = (renamed[0].labels + 1) % NUM_CLASSES
    for lam, unchanged in ((0.0, True), (0.2, False)):
        pair = [
            case.gradients(head, preds, mixed(side, b, (lam, 0.6, 0.9)))
            for side in (a, a._replace(gt_instances=renamed))
        ]
        assert unchanged == all(torch.equal(*images) for images in zip(*pair))


@pytest.mark.parametrize(('case', 'settings'), options('samplers'))
def test_it_is_linear_in_lam(case, settings):
    """Identity 20, same samples under a seed."""
    head = with_supervision(case.build(**settings)[1], type='LossMix')
    preds, sides = case.predictions(), case.sides()
    at = [
        case.totals(head, preds, mixed(*sides, [lam] * 3))
        for lam in (0.25, 0.75, 0.0, 1.0)
    ]
    close(weighted(at[:2], (1, 1)), weighted(at[2:], (1, 1)), rtol=1e-5, atol=0)


@pytest.mark.parametrize('cls', [True, False])
@pytest.mark.parametrize('reg', [True, False])
def test_a_term_that_is_switched_off_is_unions(case, heads, sides, cls, reg):
    """Identity 21."""
    preds, batch = case.predictions(), mixed(*sides, (0.2, 0.6, 0.9))
    got, full, union = (
        case.losses(with_supervision(heads[1], **supervision), preds, batch)
        for supervision in (
            dict(type='LossMix', cls=cls, reg=reg),
            dict(type='LossMix'),
            dict(type='Union'),
        )
    )
    on = {name: reg if name in case.reg else cls for name in got}
    want = {name: (full if on[name] else union)[name] for name in got}
    identical(got, want, case.exact)
    full, union = total(full), total(union)
    assert all(full[name] != union[name] for name in (*case.cls, *case.reg))


def test_it_takes_three_components(case, heads, sides):
    """BoxMix does not."""
    stock, mix = heads
    weights = (0.5, 0.3, 0.2)
    sides = [*sides, case.batch((1, 2, 3), seed=9)]
    three = mixed(*sides[:2], [0.5] * 3)
    for i, union in enumerate(three.gt_instances):
        extra = sides[2].gt_instances[i].new()
        extra.mix_ids = torch.full((len(extra),), 2)
        three.gt_instances[i] = InstanceData.cat([union, extra])
        three.metas[i]['mix_weights'] = weights
    preds = case.predictions()
    got = case.totals(with_supervision(mix, type='LossMix'), preds, three)
    parts = [case.totals(stock, preds, side) for side in sides]
    close(got, weighted(parts, weights), rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match='two components, got 3'):
        case.losses(case.boxmix(mix), preds, three)


@pytest.mark.parametrize('kind', ['LossMix', 'BoxMix', 'WeightedUnion', 'Union'])
def test_an_unmixed_image_of_a_mixed_batch(case, heads, sides, kind):
    """It has its stock gradient, but for the batch's normaliser."""
    stock, mix = heads
    lams = (0.4, 1.0, 0.4)
    batch = mixed(*sides, lams)
    batch.gt_instances[1] = sides[0].gt_instances[1]
    batch.metas[1] = sides[0].metas[1]
    preds = case.predictions()
    got = case.gradients(with_supervision(mix, type=kind), preds, batch)[1]
    one = Annotations(batch.gt_instances[1:2], batch.metas[1:2], [None])
    (want,) = case.gradients(stock, case.one(preds, 1), one)
    ratio = 1.0
    if case.counts(mix, preds, sides[:1]):
        if kind == 'BoxMix':
            counts = case.counts(mix, preds, sides, lams)
        else:
            part = sides[0] if kind == 'LossMix' else batch
            counts = case.counts(mix, preds, [part])
        ratio = counts[1] / sum(counts)
    assert torch.equal(got == 0, want == 0)
    torch.testing.assert_close(got, ratio * want, rtol=1e-5, atol=1e-9)
