"""Intervals and power, against tables and against drawing."""

from __future__ import annotations

import numpy as np
import pytest

from mmmix.studies.seeds.intervals import detectable, half_width

# Student's t at 97.5 %, from any table
TABLE = {2: 12.706, 3: 4.303, 5: 2.776, 10: 2.262}


@pytest.mark.parametrize('count', TABLE)
def test_the_interval_is_that_of_the_tables(count):
    expected = TABLE[count] * 0.02 / count**0.5
    assert half_width(0.02, count) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize('count', [3, 5, 8])
def test_the_interval_covers_and_the_power_is_what_it_says(count):
    rng = np.random.default_rng(0)
    std = 0.7
    mean = detectable(std, count)
    values = rng.normal(mean, std, (20_000, count))
    halves = half_width(1.0, count) * values.std(1, ddof=1)
    covered = abs(values.mean(1) - mean) <= halves
    assert covered.mean() == pytest.approx(0.95, abs=0.01)
    found = values.mean(1) > halves
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_no_spread_leaves_no_doubt():
    assert half_width(0.0, 4) == detectable(0.0, 4) == 0.0
