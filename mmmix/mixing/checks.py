"""Checks of single settings: one wording for the whole package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def check_bool(name: str, value: Any) -> bool:
    """Return ``value``, or say that it must be a switch.

    Raises:
        TypeError: If it is no bool.
    """
    if not isinstance(value, bool):
        raise TypeError(f'{name} must be True or False, got {value!r}')
    return value


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return ``value``, or say which values the setting takes.

    Raises:
        ValueError: If it is not among ``choices``.
    """
    if value not in choices:
        raise ValueError(f'{name} must be one of {list(choices)}, got {value!r}')
    return value


def check_integer(name: str, value: Any, least: int | None = None) -> int:
    """Return ``value``, or say that it must be an integer.

    Args:
        name: Name of the setting.
        value: Its value.
        least: Smallest value allowed, if there is one.

    Raises:
        TypeError: If it is no integer (a bool is none).
        ValueError: If it is too small.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'{name} must be an integer, got {value!r}')
    if least is not None and value < least:
        if not least:
            raise ValueError(f'{name} must not be negative, got {value}')
        raise ValueError(f'{name} must be at least {least}, got {value}')
    return value


def check_number(
    name: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return ``value`` as a float, or say that it must be a number in [low, high].

    Raises:
        TypeError: If it is no number (a bool is none).
        ValueError: If it is NaN or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f'{name} must be a number, got {value!r}')
    if not low <= value <= high:
        raise ValueError(f'{name} must lie in [{low:g}, {high:g}], got {value!r}')
    return float(value)


def check_unit(name: str, value: Any) -> float:
    """Return ``value`` as a float, or say that it must lie in [0, 1].

    Raises:
        TypeError: If it is no number.
        ValueError: If it is NaN or out of range.
    """
    return check_number(name, value, 0.0, 1.0)


def check_channels(name: str, values: Any, positive: bool = False) -> list[float]:
    """Return ``values`` as floats, or say that they must be numbers of channels.

    Args:
        name: Name of the setting.
        values: A number per channel, or one for all channels.
        positive: Whether all must be above 0.

    Raises:
        TypeError: If it is no list of numbers.
        ValueError: If it is empty, or a number is not finite or not above 0.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(f'{name} must be a list of numbers, got {values!r}')
    numbers = [check_number(f'{name}[{i}]', value) for i, value in enumerate(values)]
    if not numbers:
        raise ValueError(f'{name} is empty; give a number per channel, or one for all')
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f'{name} must be finite in every channel, got {values!r}')
    if positive and min(numbers) <= 0:
        raise ValueError(f'{name} must be above 0 in every channel, got {values!r}')
    return numbers
