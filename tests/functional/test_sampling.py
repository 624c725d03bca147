"""Samples of all rows at once against mmdet's sampler."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import RandomSampler
from mmengine.structures import InstanceData
from scipy.stats import chisquare

from mmmix.functional.sampling import draw_sample
from mmmix.mixing.counters import CallCounter


def draw(owners, seed=0, num=8, pos_fraction=0.5, neg_pos_ub=-1):
    generator = torch.Generator().manual_seed(seed)
    return draw_sample(owners, num, pos_fraction, neg_pos_ub, generator)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.sampled_from([-1, 0, 1, 2.5]),
)
def test_as_many_as_mmdets(seed, size, num, pos_fraction, neg_pos_ub):
    """All of their kind, none twice, and as many positives and negatives."""
    rng = np.random.default_rng(seed)
    owners = torch.tensor(
        rng.choice([-1, 0, 1, 2], (3, size), p=rng.dirichlet([1] * 4))
    )
    sample = draw(owners, seed, num, pos_fraction, neg_pos_ub)
    counts = torch.stack([sample.num_pos, sample.filled.sum(1) - sample.num_pos], 1)
    mask = sample.mask(owners)
    assert sample.drawn.shape[1] == min(num, size)
    sampler = RandomSampler(num, pos_fraction, neg_pos_ub, add_gt_as_proposals=False)
    gts = InstanceData(bboxes=torch.zeros(2, 4), labels=torch.zeros(2).long())
    for i, row in enumerate(owners):
        assigned = AssignResult(2, row, torch.zeros(size), row)
        want = sampler.sample(assigned, InstanceData(priors=torch.zeros(size, 4)), gts)
        assert counts[i].tolist() == [len(want.pos_inds), len(want.neg_inds)]
        drawn = sample.drawn[i][sample.filled[i]]
        assert len(drawn.unique()) == len(drawn)
        assert mask[i].nonzero()[:, 0].tolist() == drawn.sort().values.tolist()
        assert counts[i, 0] <= sample.most_pos
        assert (row[drawn[: counts[i, 0]]] > 0).all()
        assert (row[drawn[counts[i, 0] :]] == 0).all()


def test_every_subset_is_as_likely():
    """3 of 7 negatives and 2 of 5 positives in every row, by a chi-squared test."""
    owners = torch.tensor([[1] * 5 + [0] * 7 + [-1] * 3]).repeat(4000, 1)
    sample = draw(owners, seed=5, num=5, pos_fraction=0.4)
    assert sample.filled.all()
    for drawn, among in (
        (sample.drawn[:, :2], range(5)),
        (sample.drawn[:, 2:], range(5, 12)),
    ):
        assert chisquare(times(drawn, among)).pvalue > 1e-3


def times(drawn, among):
    """How often each subset was drawn."""
    rows = [tuple(row) for row in drawn.sort(dim=1).values.tolist()]
    found = [rows.count(subset) for subset in combinations(among, drawn.shape[1])]
    assert sum(found) == len(rows)
    return found


def test_components_share_what_they_draw():
    """Equal ones draw the same; each of two different ones all subsets alike."""
    one = torch.tensor([[0] * 6 + [1] * 2]).repeat(3000, 1)
    other = torch.tensor([[1] * 2 + [0] * 6]).repeat(3000, 1)
    sample = draw(torch.stack([one, other, one]), num=3, pos_fraction=0.4)
    first, second, again = sample.mask(torch.stack([one, other, one]))
    assert torch.equal(first, again)
    for drawn, places in ((sample.drawn[0], range(6)), (sample.drawn[1], range(2, 8))):
        assert chisquare(times(drawn[:, 1:], places)).pvalue > 1e-3
    # Of the four that are negative in both each has a third of either draw by chance.
    assert (first & second)[:, 2:6].sum() > 2 * 3000 * 4 / 9


def test_rows_are_independent():
    """Of two equal rows, as many pairs of draws as chance gives."""
    owners = torch.zeros(2, 10, dtype=torch.int64)
    firsts = [draw(owners, seed, num=1).drawn[:, 0].tolist() for seed in range(2000)]
    counts = np.zeros((10, 10))
    for pair in firsts:
        counts[tuple(pair)] += 1
    assert chisquare(counts.ravel()).pvalue > 1e-3


def test_the_draw_is_that_of_its_counters(monkeypatch):
    iteration = {'iter': 3, 'seed': 7}
    monkeypatch.setattr(
        'mmmix.mixing.counters.runner_counter', lambda name, default=0: iteration[name]
    )

    def numbers(counter):
        return torch.rand(4, generator=counter.generator(torch.device('cpu')))

    first, again, other = CallCounter(1), CallCounter(1), CallCounter(2)
    one, two = numbers(first), numbers(first)
    assert not torch.equal(one, two)
    assert torch.equal(numbers(again), one)
    assert not torch.equal(numbers(other), one)
    iteration['iter'] = 4
    later = numbers(first)
    assert not torch.equal(later, one)
    assert torch.equal(numbers(CallCounter(1)), later)


@pytest.mark.parametrize('seed', range(3))
def test_nothing_to_draw(seed):
    sample = draw(torch.full((2, 6), -1), seed)
    assert not sample.filled.any()
    assert sample.drawn.max() < 6
