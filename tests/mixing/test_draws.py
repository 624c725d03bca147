"""Draws from counters: ratios, partners, choices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from mmmix.mixing import build_ratio, counter_rng
from mmmix.mixing.counters import CallCounter, counted_anew
from mmmix.mixing.draws import draw_chosen, draw_lam, draw_partners


@pytest.mark.parametrize('alpha', [0.2, 1.0, 1.5, 5])
def test_beta_moments(alpha):
    """Identity 5."""
    lam = build_ratio(dict(type='Beta', alpha=alpha))(counter_rng(0), 200_000)
    assert abs(lam.mean() - 0.5) < 0.005
    assert lam.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.02)


def test_uniform_and_constant():
    lam = build_ratio(dict(type='Uniform', low=0.8, high=1.0))(counter_rng(0), 10_000)
    assert lam.min() >= 0.8
    assert lam.max() <= 1.0
    assert lam.mean() == pytest.approx(0.9, abs=0.002)
    assert (build_ratio(dict(type='Constant', value=0.3))(None, 4) == 0.3).all()


@pytest.mark.parametrize(
    ('cfg', 'error', 'message'),
    [
        (dict(type='Beta', alpha=0), ValueError, 'above 0'),
        (dict(type='Beta', alpha=-1.0), ValueError, 'above 0'),
        (dict(type='Beta', alpha=math.nan), ValueError, 'alpha'),
        (dict(type='Beta', alpha=math.inf), ValueError, 'alpha'),
        (dict(type='Beta', alpha='1'), TypeError, 'alpha'),
        (dict(type='Beta', alfa=1.0), TypeError, 'alfa'),
        (dict(type='Beta'), TypeError, 'alpha'),
        (dict(type='Gamma', alpha=1.0), KeyError, 'Beta, Constant, Uniform'),
        (dict(alpha=1.0), KeyError, 'needs a type'),
        (0.5, TypeError, 'must be a dict'),
        (dict(type='Constant', value=1.5), ValueError, r'\[0, 1\]'),
        (dict(type='Constant', value=math.nan), ValueError, r'\[0, 1\]'),
        (dict(type='Uniform', low=0.9, high=0.8), ValueError, 'high'),
    ],
)
def test_bad_ratios_are_refused(cfg, error, message):
    with pytest.raises(error, match=message):
        build_ratio(cfg)


@pytest.mark.parametrize('value', [1.5, -0.1, math.nan])
def test_lam_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match='λ must lie in'):
        draw_lam(counter_rng(0), 2, lambda rng, size: [0.5, value])


@given(st.integers(2, 33), st.integers(0, 10**6))
def test_partners_are_permutations(size, seed):
    """Identity 4."""
    order = np.arange(size)
    for pairing in ('shuffle', 'roll', 'reverse'):
        partners = draw_partners(counter_rng(seed), size, pairing)
        assert sorted(partners) == order.tolist()
        assert (partners == draw_partners(counter_rng(seed), size, pairing)).all()
        fixed = (partners == order).sum()
        assert fixed == (size % 2 if pairing == 'reverse' else 0)


def test_a_permutation_may_leave_samples_with_themselves():
    """All n! come, so that on average one sample meets itself, as in the papers."""
    draws = [draw_partners(counter_rng(i), 4, 'permutation') for i in range(2000)]
    assert len({tuple(draw) for draw in draws}) == math.factorial(4)
    fixed = [(draw == np.arange(4)).sum() for draw in draws]
    assert np.mean(fixed) == pytest.approx(1.0, abs=0.1)


def test_shuffle_is_random():
    draws = {tuple(draw_partners(counter_rng(i), 5, 'shuffle')) for i in range(500)}
    assert len(draws) == math.factorial(4)


@given(st.integers(1, 128), st.integers(0, 100), st.integers(0, 1000))
@example(50, 58, 0)  # 0.58 * 50 is just below 29
def test_fraction_is_exact(size, percent, seed):
    """Identity 24 (LossMix-Reg): exactly floor(fraction N) samples."""
    chosen = draw_chosen(counter_rng(seed), size, 1.0, percent / 100)
    assert chosen.sum() == percent * size // 100


def test_prob():
    chosen = draw_chosen(counter_rng(0), 100_000, 0.3, None)
    assert chosen.mean() == pytest.approx(0.3, abs=0.005)


def test_counters_make_the_draw():
    draws = {c: counter_rng(*c).random() for c in ((0, 0, 1), (0, 1, 0), (1, 0, 0))}
    assert len(set(draws.values())) == 3
    assert counter_rng(0, 0, 1).random() == draws[(0, 0, 1)]


def test_calls_that_are_counted_anew():
    """The same each time by the seed, and no call of a training less."""
    device = torch.device('cpu')

    def drawn(*counters):
        return [counter.generator(device).initial_seed() for counter in counters]

    first, other = CallCounter(1), CallCounter(2)
    drawn(first)
    with counted_anew(3):
        one = drawn(first, first, other)
    with counted_anew(3):
        assert drawn(first, first, other) == one
    with counted_anew(4):
        assert not set(drawn(first, first, other)) & set(one)
    assert len(set(one)) == 3
    second = CallCounter(1)
    assert drawn(first) == drawn(second, second)[1:]
