"""Sinkhorn's plans against a slow reference, and identities 33 to 35."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.functional.sinkhorn import squared_distances, transport_plan

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
    plans = transport_plan(first, second, epsilon, iterations=30)
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
    plans = transport_plan(first, second, epsilon=0.1, iterations=300)
    assert torch.isfinite(plans).all()
    assert (plans >= 0).all()
    assert (plans.sum(dim=2) - 1).abs().max() <= 1e-5
    assert (plans.sum(dim=1) - 1).abs().max() <= 1e-2


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([1e-3, 10.0, 1e3]))
def test_the_scale_of_features_does_not_matter(seed, scale):
    """Identity 34, first half."""
    first, second = maps(seed)
    scaled = transport_plan(scale * first, scale * second)
    # Rounding of the distances is multiplied by 1 / ε.
    torch.testing.assert_close(scaled, transport_plan(first, second), rtol=0, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_permuted_map_is_put_back_in_order(seed):
    """Identity 34, second half: distinct columns, a small ε."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn((1, 16, 9), generator=generator)
    order = torch.randperm(9, generator=generator)
    plan = transport_plan(first, first[..., order], epsilon=0.01)[0]
    assert (order[plan.argmax(dim=1)] == torch.arange(9)).all()
    aligned = first[..., order] @ plan.T
    torch.testing.assert_close(aligned, first, rtol=0, atol=1e-2)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_constant_map_stays_constant(seed):
    """Identity 35, second half; A' of one colour, and both of one colour."""
    first, second = maps(seed)
    second = second[..., :1].expand(-1, -1, 7)
    aligned = second @ transport_plan(first, second).transpose(1, 2)
    torch.testing.assert_close(aligned, second, rtol=0, atol=1e-5)
    plans = transport_plan(second, second)
    torch.testing.assert_close(plans, torch.full((2, 7, 7), 1 / 7))


def test_a_plan_has_no_gradient():
    first, second = (part.requires_grad_() for part in maps(0))
    assert not transport_plan(first, second).requires_grad


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_padding_takes_no_part(seed):
    """The plan among the valid cells is that of maps without the others."""
    first, second = maps(seed, cells=(8, 8))
    valid = torch.zeros((2, 2, 8), dtype=torch.bool)
    valid[0, :, :6] = valid[1, 0, 1:5] = valid[1, 1, :3] = True
    plans = transport_plan(first, second, valid=tuple(valid))
    assert torch.isfinite(plans).all()
    assert not plans[~valid[1][:, None, :].expand(-1, 8, -1)].any()
    for i in range(2):
        rows, columns = valid[:, i]
        want = transport_plan(first[i : i + 1, :, rows], second[i : i + 1, :, columns])
        got = plans[i][rows][:, columns]
        torch.testing.assert_close(got, want[0], rtol=1e-3, atol=1e-4)


def test_half_precision_and_autocast_change_nothing():
    """Squared distances of such features are not finite in float16."""
    first, second = (300 * part.half() for part in maps(1))
    want = transport_plan(first.float(), second.float())
    assert torch.equal(transport_plan(first, second), want)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(transport_plan(first.float(), second.float()), want)


def early_stopped(first, second, epsilon, absolute, tolerance, every, limit=100):
    """Plans of a batch by loops in float64, in the form of AlignMixup's code.

    Potentials u and v in units of the cost, from 0; it stops where the sum over rows
    of |Δu|, the mean over the batch, is below the tolerance. Returns the plans with
    rows normalised, and the number of iterations.
    """
    costs = []
    for a, b in zip(first.double().numpy(), second.double().numpy()):
        cost = ((a.T[:, None, :] - b.T[None, :, :]) ** 2).sum(-1)
        costs.append(cost if absolute else cost / cost.mean())
    r, q = costs[0].shape
    states = [(np.zeros(r), np.zeros(q)) for _ in costs]
    for iteration in range(1, limit + 1):
        moved = 0.0
        for k, cost in enumerate(costs):
            u, v = states[k][0].copy(), states[k][1].copy()
            for i in range(r):
                reach = logsumexp((v - cost[i]) / epsilon)
                moved += abs(-epsilon * (math.log(r) + reach) - u[i]) / len(costs)
                u[i] = -epsilon * (math.log(r) + reach)
            for j in range(q):
                v[j] = -epsilon * (math.log(q) + logsumexp((u - cost[:, j]) / epsilon))
            states[k] = u, v
        if iteration > 1 and iteration % every == 0 and moved < tolerance:
            break
    plans = [
        np.exp((u[:, None] + v[None] - cost) / epsilon)
        for cost, (u, v) in zip(costs, states)
    ]
    plans = [plan / plan.sum(axis=1, keepdims=True) for plan in plans]
    return torch.from_numpy(np.stack(plans)), iteration


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize(
    ('epsilon', 'absolute', 'tolerance', 'every'),
    [
        (0.1, True, 0.1, 1),  # AlignMixup's code
        (0.1, False, 0.1, 1),
        (0.05, False, 1e-3, 10),
        (0.3, True, 1e-4, 7),
    ],
)
def test_stopping_early_against_loops(seed, epsilon, absolute, tolerance, every):
    # Absolute costs about 1, as that code's normalised features give.
    first, second = (part / 1.5 for part in maps(seed, cells=(7, 9)))
    want, count = early_stopped(first, second, epsilon, absolute, tolerance, every)
    settings = dict(epsilon=epsilon, absolute=absolute)
    got = transport_plan(
        first, second, tolerance=tolerance, check_every=every, **settings
    )
    torch.testing.assert_close(got.double(), want, rtol=1e-3, atol=1e-5)
    assert 1 < count < 100
    fixed = transport_plan(first, second, iterations=count, **settings)
    assert torch.equal(got, fixed)
    assert not torch.equal(
        got, transport_plan(first, second, iterations=count + 1, **settings)
    )


def test_padding_does_not_count_in_the_stop():
    """Cells outside have potentials of -∞, whose differences are no numbers."""
    first, second = maps(3, cells=(8, 8), pairs=1)
    valid = torch.arange(8)[None] < 6
    stop = dict(tolerance=1e-3, check_every=2)
    got = transport_plan(first, second, valid=(valid, valid), **stop)
    want = transport_plan(first[..., :6], second[..., :6], **stop)
    torch.testing.assert_close(got[:, :6, :6], want, rtol=1e-3, atol=1e-4)
    full = transport_plan(first, second, valid=(valid, valid))
    assert not torch.allclose(got[:, :6, :6], full[:, :6, :6], rtol=1e-6, atol=0)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_an_absolute_epsilon_is_one_of_the_cost(seed):
    """With ε times the mean cost it is the plan of the relative ε."""
    first, second = maps(seed, pairs=1)
    mean = float(squared_distances(first, second).mean())
    got = transport_plan(first, second, epsilon=0.1 * mean, absolute=True)
    want = transport_plan(first, second, epsilon=0.1)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-5)


def test_wrong_settings_are_named():
    first, second = maps(0)
    with pytest.raises(ValueError, match='tolerance must be above 0'):
        transport_plan(first, second, tolerance=0.0)
    with pytest.raises(ValueError, match='check_every must be at least 1, got 0'):
        transport_plan(first, second, tolerance=0.1, check_every=0)
    with pytest.raises(ValueError, match='check_every=5 says how often .* give tol'):
        transport_plan(first, second, check_every=5)
    with pytest.raises(ValueError, match='epsilon must be above 0'):
        transport_plan(first, second, epsilon=0)
    with pytest.raises(ValueError, match='iterations must be at least 1'):
        transport_plan(first, second, iterations=0)
    with pytest.raises(ValueError, match=r'agree in N and C, got \(2, 5, 7\)'):
        transport_plan(first, second[:, :4])
