"""Checks of single settings: what passes, and what they say of the rest."""

from __future__ import annotations

import math

import pytest

from mmmix.mixing.checks import (
    check_bool,
    check_channels,
    check_choice,
    check_integer,
    check_number,
    check_unit,
)


def test_good_values_pass():
    assert check_bool('a', False) is False
    assert check_channels('a', (0, -1.5)) == [0.0, -1.5]
    assert check_channels('a', [2], positive=True) == [2.0]
    assert check_choice('a', 'x', ('x', 'y')) == 'x'
    assert check_integer('a', -3) == -3
    assert check_integer('a', 2, least=2) == 2
    assert type(check_number('a', 3)) is float
    assert check_number('a', -math.inf) == -math.inf
    assert check_unit('a', 1) == 1.0


@pytest.mark.parametrize(
    ('check', 'arguments', 'error', 'message'),
    [
        (check_bool, (1,), TypeError, 'a must be True or False, got 1'),
        (check_channels, ('12',), TypeError, "a must be a list of numbers, got '12'"),
        (check_channels, (1.0,), TypeError, 'a must be a list of numbers, got 1.0'),
        (check_channels, ([1, None],), TypeError, r'a\[1\] must be a number, got None'),
        (check_channels, ([],), ValueError, 'a is empty'),
        (check_channels, ([math.nan],), ValueError, r'a\[0\] must lie in .*nan'),
        (check_channels, ([1, math.inf],), ValueError, r'a must be finite .*inf\]'),
        (check_channels, ([1, 0], True), ValueError, r'a must be above 0 .*\[1, 0\]'),
        (check_choice, ('z', ('x', 'y')), ValueError, r"of \['x', 'y'\], got 'z'"),
        (check_integer, (True,), TypeError, 'a must be an integer, got True'),
        (check_integer, (1.0,), TypeError, 'a must be an integer, got 1.0'),
        (check_integer, (-1, 0), ValueError, 'a must not be negative, got -1'),
        (check_integer, (1, 2), ValueError, 'a must be at least 2, got 1'),
        (check_number, (True,), TypeError, 'a must be a number, got True'),
        (check_number, ('1',), TypeError, "a must be a number, got '1'"),
        (check_number, (math.nan,), ValueError, 'a must lie in .*nan'),
        (check_number, (3, 0, 2), ValueError, r'a must lie in \[0, 2\], got 3'),
        (check_unit, (-0.1,), ValueError, r'a must lie in \[0, 1\], got -0.1'),
        (check_unit, (math.nan,), ValueError, r'a must lie in \[0, 1\], got nan'),
    ],
)
def test_bad_values_are_named(check, arguments, error, message):
    with pytest.raises(error, match=message):
        check('a', *arguments)
