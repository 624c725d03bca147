"""Which names of classes may be meant for one."""

from __future__ import annotations

import pytest

from mmmix.layouts.spelling import spelled_alike


@pytest.mark.parametrize(
    'names',
    [
        ['Cat', 'cat', 'CAT'],
        ['big dog', 'big_dog', 'Big-Dog', 'bigdog'],
        ['Stra\u00dfe', 'STRASSE'],
        ['caf\u00e9', 'cafe\u0301'],  # as macOS writes it
    ],
)
def test_names_that_are_alike(names):
    assert spelled_alike(['other', *names, names[0]]) == [names]


@pytest.mark.parametrize(
    'names',
    [
        ['c', 'c++'],
        ['-5', '5'],
        ['1-0', '10'],
        ['cat', 'cats'],
        ['grade A', 'grade A-'],
    ],
)
def test_names_that_are_not(names):
    assert spelled_alike(names) == []
