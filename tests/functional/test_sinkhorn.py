"""Sinkhorn's plans against a slow reference, and identities 33 to 35."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.functional.sinkhorn import assignment, squared_distances

SEEDS = st.integers(0, 10**6)


def maps(seed, channels=5, cells=(7, 7), pairs=2):
    """Two maps with some structure: features of ReLU, of unequal length."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn((pairs, channels, count), generator=generator).relu()
        * (0.2 + torch.rand((pairs, 1, count), generator=generator))
        for count in cells
    ]


def logsumexp(values):
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))


def reference(first, second, epsilon, iterations):
    """R of one pair, cell by cell in float64: broadcast cost, Python loops."""
    a, b = (part.double().numpy().T for part in (first, second))
    cost = ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)
    score = -cost / cost.mean() / epsilon
    row, column = np.zeros(len(a)), np.full(len(b), -math.log(len(b)))
    for _ in range(iterations):
        for i in range(len(a)):
            row[i] = -math.log(len(a)) - logsumexp(score[i] + column)
        for j in range(len(b)):
            column[j] = -math.log(len(b)) - logsumexp(score[:, j] + row)
    plan = np.exp(score + column[None])
    return torch.from_numpy(plan / plan.sum(axis=1, keepdims=True))


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from([0.05, 0.3]), st.sampled_from([(7, 7), (5, 8)]))
def test_plans_are_those_of_the_reference(seed, epsilon, cells):
    first, second = maps(seed, cells=cells)
    plans = assignment(first, second, epsilon, iterations=30)
    for plan, *pair in zip(plans, first, second):
        want = reference(*pair, epsilon, 30)
        torch.testing.assert_close(plan.double(), want, rtol=1e-3, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_distances_are_the_broadcast_ones(seed):
    first, second = maps(seed, cells=(6, 4))
    want = (first[:, :, :, None] - second[:, :, None, :]).square().sum(1)
    torch.testing.assert_close(squared_distances(first, second), want)
    shifted = squared_distances(first + 100, second + 100)
    torch.testing.assert_close(shifted, want, rtol=1e-3, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([1e-3, 1.0, 1e3]))
def test_marginals(seed, scale):
    """Identity 33: R is finite and not negative, its marginals are uniform."""
    first, second = (scale * part for part in maps(seed, cells=(12, 12)))
    plans = assignment(first, second, epsilon=0.1, iterations=300)
    assert torch.isfinite(plans).all()
    assert (plans >= 0).all()
    assert (plans.sum(dim=2) - 1).abs().max() <= 1e-5
    assert (plans.sum(dim=1) - 1).abs().max() <= 1e-2


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([1e-3, 10.0, 1e3]))
def test_the_scale_of_features_does_not_matter(seed, scale):
    """Identity 34, first half."""
    first, second = maps(seed)
    scaled = assignment(scale * first, scale * second)
    # Rounding of the distances is multiplied by 1 / ε.
    torch.testing.assert_close(scaled, assignment(first, second), rtol=0, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_permuted_map_is_put_back_in_order(seed):
    """Identity 34, second half: distinct columns, a small ε."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn((1, 16, 9), generator=generator)
    order = torch.randperm(9, generator=generator)
    plan = assignment(first, first[..., order], epsilon=0.01)[0]
    assert (order[plan.argmax(dim=1)] == torch.arange(9)).all()
    aligned = first[..., order] @ plan.T
    torch.testing.assert_close(aligned, first, rtol=0, atol=1e-2)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_constant_map_stays_constant(seed):
    """Identity 35, second half; A' of one colour, and both of one colour."""
    first, second = maps(seed)
    second = second[..., :1].expand(-1, -1, 7)
    aligned = second @ assignment(first, second).transpose(1, 2)
    torch.testing.assert_close(aligned, second, rtol=0, atol=1e-5)
    plans = assignment(second, second)
    torch.testing.assert_close(plans, torch.full((2, 7, 7), 1 / 7))


def test_a_plan_has_no_gradient():
    first, second = (part.requires_grad_() for part in maps(0))
    assert not assignment(first, second).requires_grad


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_padding_takes_no_part(seed):
    """The plan among the valid cells is that of maps without the others."""
    first, second = maps(seed, cells=(8, 8))
    valid = torch.zeros((2, 2, 8), dtype=torch.bool)
    valid[0, :, :6] = valid[1, 0, 1:5] = valid[1, 1, :3] = True
    plans = assignment(first, second, valid=tuple(valid))
    assert torch.isfinite(plans).all()
    assert not plans[~valid[1][:, None, :].expand(-1, 8, -1)].any()
    for i in range(2):
        rows, columns = valid[:, i]
        want = assignment(first[i : i + 1, :, rows], second[i : i + 1, :, columns])
        got = plans[i][rows][:, columns]
        torch.testing.assert_close(got, want[0], rtol=1e-3, atol=1e-4)


def test_half_precision_and_autocast_change_nothing():
    """Squared distances of such features are not finite in float16."""
    first, second = (300 * part.half() for part in maps(1))
    want = assignment(first.float(), second.float())
    assert torch.equal(assignment(first, second), want)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(assignment(first.float(), second.float()), want)


def test_wrong_settings_are_named():
    first, second = maps(0)
    with pytest.raises(ValueError, match='epsilon must be above 0'):
        assignment(first, second, epsilon=0)
    with pytest.raises(ValueError, match='iterations must be at least 1'):
        assignment(first, second, iterations=0)
    with pytest.raises(ValueError, match=r'agree in N and C, got \(2, 5, 7\)'):
        assignment(first, second[:, :4])
