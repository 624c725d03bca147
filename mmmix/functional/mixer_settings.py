"""The settings that every mixer takes, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .blending import ALIGNMENTS
from .ratios import build_ratio

PADS = ('mean', 'black')
KEEPS = ('all', 'dominant')


class MixerSettings(NamedTuple):
    """What ``MixBatch`` and ``MixImage`` share.

    Attributes:
        ratio: The distribution of λ, built.
        align: Where an image lies on the canvas.
        pad: Colour of the uncovered canvas.
        keep: Whose boxes stay.
        prob: Probability that a sample is mixed.
    """

    ratio: Any
    align: str
    pad: str
    keep: str
    prob: float

    @classmethod
    def build(
        cls, ratio: Any, align: str, pad: str, keep: str, prob: float
    ) -> MixerSettings:
        """Check the settings and build the ratio.

        Raises:
            TypeError, ValueError, KeyError: Naming the setting.
        """
        return cls(
            build_ratio(ratio),
            check_choice('align', align, ALIGNMENTS),
            check_choice('pad', pad, PADS),
            check_choice('keep', keep, KEEPS),
            check_unit('prob', prob),
        )

    def __str__(self) -> str:
        return ', '.join(f'{name}={value!r}' for name, value in self._asdict().items())


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return ``value``, or say which values the setting takes.

    Raises:
        ValueError: If it is not among ``choices``.
    """
    if value not in choices:
        raise ValueError(f'{name} must be one of {list(choices)}, got {value!r}')
    return value


def check_unit(name: str, value: Any) -> float:
    """Return ``value`` as a float, or say that it must lie in [0, 1].

    Raises:
        TypeError: If it is no number.
        ValueError: If it is NaN or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f'{name} must be a number in [0, 1], got {value!r}')
    if math.isnan(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f'{name} must lie in [0, 1], got {value!r}')
    return float(value)
