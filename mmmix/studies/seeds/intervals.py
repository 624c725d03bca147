"""How sure a mean over few seeds is, and what difference they would show."""

from __future__ import annotations

import math

from scipy import optimize, stats

LEVEL = 0.95
POWER = 0.8


def half_width(std: float, count: int) -> float:
    """Half the width of Student's 95 % interval of a mean, t · s / √n.

    With a handful of seeds, resampling them gives intervals that are too narrow: of
    five values, they cover the mean in some 85 % of cases where 95 % are meant.

    Args:
        std: Sample standard deviation of the values.
        count: Their number, at least 2.
    """
    return float(_quantile(count) * std / math.sqrt(count))


def detectable(std: float, count: int) -> float:
    """The true mean that the interval would tell from zero in four of five studies.

    Args:
        std: Sample standard deviation of the values, taken for that of all.
        count: Their number, at least 2.

    Returns:
        The smallest mean of this power, by the noncentral t distribution.
    """

    def lacking(shift: float) -> float:
        return float(stats.nct.sf(_quantile(count), count - 1, shift)) - POWER

    return float(optimize.brentq(lacking, 0.0, 100.0)) * std / math.sqrt(count)


def _quantile(count: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, count - 1))
