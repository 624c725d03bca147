"""BoxMix: its slow reference, and where it is the stock loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers import mixed, with_supervision

from .case import approximates, close, weighted
from .cases import CASES, YOLOV3, options

LAMS = [(0.9, 0.3, 0.5), (0.5001, 0.7, 0.02), (1.0, 0.0, 0.8)]


def product(*attributes):
    """Every case with each pair of entries of two of its attributes."""
    return [
        pytest.param(
            case.values[0],
            *(p.values[1] for p in (case, other)),
            id=f'{case.id}-{other.id}',
        )
        for case in options(attributes[0])
        for other in options(attributes[1])
        if case.values[0] is other.values[0]
    ]


@pytest.mark.parametrize('lams', LAMS, ids=str)
@pytest.mark.parametrize(('case', 'settings'), options('references'))
def test_it_equals_the_slow_reference(case, settings, lams):
    """Identities 8 and 9: soft labels there, two hard losses here."""
    _, mix = case.build(**settings)
    preds, sides = case.predictions(), case.sides()
    head = case.boxmix(mix, settings.get('rule', 'dominant'))
    got = case.totals(head, preds, mixed(*sides, lams))
    want = case.reference(mix, preds, sides, lams, **settings)
    approximates(got, want, case.rtol)
    assert all(want[name] > 0 for name in case.reg)


@pytest.mark.parametrize('lam', [0.0, 1.0])
@pytest.mark.parametrize(('case', 'rule', 'settings'), product('limits', 'samplers'))
def test_it_has_stock_limits(case, rule, settings, lam):
    """Identity 10; with few samples they are the same ones under a seed."""
    stock, mix = case.build(**settings)
    preds, sides = case.predictions(), case.sides()
    head = case.boxmix(mix, rule)
    want = case.totals(stock, preds, sides[0 if lam else 1])
    got = case.totals(head, preds, mixed(*sides, [lam] * 3))
    close(got, want, atol=1e-6, rtol=1e-6)
    assert got.get('acc') == want.get('acc')


@pytest.mark.parametrize(('case', 'rule', 'settings'), product('rules', 'samplers'))
def test_a_sample_with_itself_is_stock(case, rule, settings):
    """Identity 11."""
    stock, mix = case.build(**settings)
    preds, (batch, _) = case.predictions(), case.sides()
    want = case.totals(stock, preds, batch)
    for lam in (0.1, 0.5, 0.8):
        got = case.totals(case.boxmix(mix, rule), preds, mixed(batch, batch, [lam] * 3))
        close(got, want, ['acc'], atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize(('lam', 'side'), [(0.5, 1), (0.5 + 1e-6, 0), (0.2, 1)])
def test_the_dominant_component_alone_is_regressed(case, heads, sides, lam, side):
    """Identity 12."""
    head, preds = case.boxmix(heads[1]), case.predictions()
    batch = mixed(*sides, [lam] * 3)
    for touched, expected in case.regressed(head, preds, batch, sides[side]):
        assert expected.any()
        np.testing.assert_array_equal(touched, expected)


@pytest.mark.parametrize(('case', 'rule', 'settings'), product('rules', 'samplers'))
def test_it_is_symmetric(case, rule, settings):
    """Identity 14."""
    head = case.boxmix(case.build(**settings)[1], rule)
    preds, (a, b) = case.predictions(), case.sides()
    lams = (0.9, 0.35, 0.6)
    got = case.totals(head, preds, mixed(a, b, lams))
    want = case.totals(head, preds, mixed(b, a, [1 - lam for lam in lams]))
    close(got, want, atol=1e-5, rtol=1e-6)
    assert got.get('acc') == want.get('acc')


@pytest.mark.parametrize('counts', [(3, 0), (0, 3), (0, 0)], ids=str)
@pytest.mark.parametrize(('case', 'rule'), options('rules'))
def test_an_empty_component_is_background(case, rule, counts):
    """Identity 15; an empty pair is a stock image without objects."""
    stock, mix = case.build()
    sides = [case.batch((count,), seed=1) for count in counts]
    preds = case.predictions(1)
    got = case.totals(case.boxmix(mix, rule), preds, mixed(*sides, [0.7]))
    settings = dict(rule=rule) if len(case.rules) > 1 else {}
    want = case.reference(mix, preds, sides, [0.7], **settings)
    approximates(got, want, case.rtol)
    assert all((want[name] > 0) == (counts[0] > 0) for name in case.reg)
    if not any(counts):
        close(got, case.totals(stock, preds, sides[0]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ('case', 'kind'),
    # BoxMix elsewhere has a normaliser of both components; see its reference.
    [(case, 'LossMix') for case in CASES] + [(YOLOV3, 'BoxMix')],
    ids=lambda value: getattr(value, 'name', value),
)
def test_empty_partners_of_a_batch(case, kind):
    """Identity 15 against the stock losses of the images and of background."""
    (stock, mix), sides = case.build(), case.sides()
    head, preds = with_supervision(mix, type=kind), case.predictions()
    empty = case.batch((0, 0, 0), seed=1)
    full, background = (case.totals(stock, preds, b) for b in (sides[0], empty))
    assert all(background[name] == 0 for name in case.reg)
    want = weighted((full, background), (0.7, 0.3))
    if kind == 'BoxMix':
        want |= {name: full[name] for name in case.reg}
    got = case.totals(head, preds, mixed(sides[0], empty, [0.7] * 3))
    close(got, want, rtol=1e-6, atol=0)
    nothing = case.totals(head, preds, mixed(empty, empty, [0.7] * 3))
    close(nothing, background, rtol=1e-6, atol=0)
    sum(nothing.values()).backward()


def test_it_takes_two_components(case, heads, sides):
    batch = mixed(*sides, [0.5] * 3)
    batch.metas[0]['mix_weights'] = (0.5, 0.25, 0.25)
    with pytest.raises(ValueError, match='two components, got 3'):
        case.losses(case.boxmix(heads[1]), case.predictions(), batch)
