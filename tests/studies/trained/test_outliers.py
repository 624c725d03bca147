"""Separation of two sets of scores (methods.md 7, number 40)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.studies.trained.outliers import auroc, detection_accuracy, tnr_at_tpr

MEASURES = (tnr_at_tpr, auroc, detection_accuracy)
# Few distinct values, so that ties are frequent.
SCORES = st.lists(st.integers(0, 8).map(lambda k: k / 8), min_size=1, max_size=25)


def test_separated_scores_are_perfect_and_swapped_ones_the_opposite():
    high, low = np.linspace(0.6, 1, 30), np.linspace(0, 0.5, 17)
    assert [measure(high, low) for measure in MEASURES] == [1, 1, 1]
    assert [measure(low, high) for measure in MEASURES] == [0, 0, 0.5]


def test_scores_of_one_distribution_cannot_be_told_apart():
    inside, outside = np.random.default_rng(0).normal(size=(2, 20000))
    assert auroc(inside, outside) == pytest.approx(0.5, abs=0.02)
    assert tnr_at_tpr(inside, outside) == pytest.approx(0.05, abs=0.01)
    assert detection_accuracy(inside, outside) == pytest.approx(0.5, abs=0.02)


def test_equal_scores_are_a_coin():
    same = np.zeros(7)
    assert [measure(same, same) for measure in MEASURES] == [0, 0.5, 0.5]


@given(SCORES, SCORES, st.sampled_from([0.5, 0.8, 0.95, 1.0]))
@settings(max_examples=150, deadline=None)
def test_against_counting(inside, outside, tpr):
    wins = [(a > b) + (a == b) / 2 for a in inside for b in outside]
    assert auroc(inside, outside) == pytest.approx(np.mean(wins))
    rates = []
    for threshold in [*inside, *outside, 2.0]:
        passing = np.mean([score >= threshold for score in inside])
        refused = np.mean([score < threshold for score in outside])
        rates.append((passing, refused))
    best = max(refused for passing, refused in rates if passing >= tpr)
    assert tnr_at_tpr(inside, outside, tpr) == pytest.approx(best)
    accuracy = max(passing + refused for passing, refused in rates) / 2
    assert detection_accuracy(inside, outside) == pytest.approx(accuracy)


def test_exactly_five_percent_may_fail():
    inside = np.arange(20) / 20  # 19 of 20 pass at 1/20
    assert tnr_at_tpr(inside, [0.0, 0.04, 0.05, 0.06]) == 0.5


@pytest.mark.parametrize('bad', [[], [float('nan')]])
def test_scores_that_make_no_sense(bad):
    for measure in MEASURES:
        with pytest.raises(ValueError, match='outside scores'):
            measure([0.5], bad)
    with pytest.raises(ValueError, match='tpr'):
        tnr_at_tpr([0.5], [0.5], tpr=0)
