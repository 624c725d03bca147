"""Sentences on differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mmmix.studies.seeds.in_words import (
    caution,
    in_words,
    seeds_needed,
    told_metrics,
)


def test_the_first_metric_and_recall_are_told():
    keys = ['pascal_voc/mAP', 'coco/AP', 'coco/AR_1', 'coco/AR_100']
    assert told_metrics(keys) == ['pascal_voc/mAP', 'coco/AR_100']
    assert told_metrics(['coco/AR_100', 'coco/AP']) == ['coco/AR_100']
    assert told_metrics([]) == []


@pytest.mark.parametrize(
    ('mean', 'std', 'n', 'said'),
    [
        # t(2) is 4.303: the half is 4.303 * 0.01 / sqrt(3) = 0.0248
        (0.025, 0.01, 3, 'a: m is higher by 0.025 (95 % interval +0.000 to +0.050,'),
        (-0.025, 0.01, 3, 'a: m is lower by 0.025 (95 % interval -0.050 to -0.000,'),
        (0.024, 0.01, 3, 'a: m is +0.024, which is not certain (95 % interval -0.001'),
        (0.0, 0.01, 3, 'one like this takes more than 50 seeds.'),
        (0.0, 0.0, 3, 'a: m is the same with each of 3 seeds'),
        (0.1, None, 1, 'a: m is +0.100 with one seed, which tells nothing'),
        (None, None, 0, 'a: no seed has m for both.'),
    ],
)
def test_a_difference_is_certain_where_its_interval_leaves_out_0(mean, std, n, said):
    assert said in in_words('a', 'm', mean, std, n)


def test_the_number_of_seeds_finds_the_difference_in_four_of_five_studies():
    """Against drawn studies: so many seeds do, one fewer does not."""
    needed = seeds_needed(0.02, 0.02)
    draws = np.random.default_rng(0).normal(0.02, 0.02, (20000, needed))
    found = [
        np.mean(stats.ttest_1samp(draws[:, :n], 0, axis=1).pvalue < 0.05)
        for n in (needed, needed - 1)
    ]
    assert found[0] > 0.79
    assert found[1] < 0.8
    assert seeds_needed(0.001, 0.02) is None


def test_several_comparisons_are_a_reason_for_caution():
    assert caution(1) == ''
    assert caution(3).startswith('These are 3 comparisons')
