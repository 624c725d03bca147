"""Distributions of λ, the weight of component 0.

A ratio is called with a generator and a size and returns λ as float64 values
in [0, 1]. A new one is a class here with ``@RATIOS.register_module()``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmix.registry import RATIOS, build_from

from .checks import check_number


def build_ratio(ratio: Any) -> Any:
    """Build a ratio from its config, e.g. ``dict(type='Beta', alpha=0.2)``."""
    return build_from(RATIOS, ratio, 'ratio')


@RATIOS.register_module()
class Beta:
    """λ ~ Beta(α, α) (mixup; BoxMix sec. 4.1: α = 0.2, LossMix suppl. A: α = 1).

    Args:
        alpha: α > 0. Below 1 most λ are near 0 or 1, above 1 near ½.

    Raises:
        TypeError, ValueError: If ``alpha`` is no finite number above 0.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = check_number('alpha', alpha)
        if not 0.0 < self.alpha < math.inf:
            raise ValueError(
                f'alpha of the Beta distribution must be finite and above 0, got '
                f'{alpha!r}; to switch mixing off use MixScheduleHook or prob=0'
            )

    def __call__(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Draw ``size`` values of λ."""
        return rng.beta(self.alpha, self.alpha, size)

    def __repr__(self) -> str:
        return f'Beta(alpha={self.alpha:g})'


@RATIOS.register_module()
class Uniform:
    """λ ~ U(low, high). The Noise baseline (LossMix suppl. B) is U(0.8, 1).

    Args:
        low: Lower end in [0, 1].
        high: Upper end in [low, 1].

    Raises:
        TypeError, ValueError: If an end is no number in its range.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = check_number('low', low, 0.0, 1.0)
        self.high = check_number('high', high, self.low, 1.0)

    def __call__(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Draw ``size`` values of λ."""
        return rng.uniform(self.low, self.high, size)

    def __repr__(self) -> str:
        return f'Uniform(low={self.low:g}, high={self.high:g})'


@RATIOS.register_module()
class Constant:
    """The same λ every time, e.g. 0.5.

    Args:
        value: λ in [0, 1].

    Raises:
        TypeError, ValueError: If ``value`` is no number in [0, 1].
    """

    def __init__(self, value: float) -> None:
        self.value = check_number('value', value, 0.0, 1.0)

    def __call__(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return ``size`` copies of λ; ``rng`` is left alone."""
        return np.full(size, self.value)

    def __repr__(self) -> str:
        return f'Constant(value={self.value:g})'
