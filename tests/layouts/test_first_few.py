"""Long lists in messages say how much they leave out."""

from __future__ import annotations

import pytest

from mmmix.layouts.first_few import first_few, first_lines


@pytest.mark.parametrize(
    ('total', 'text'),
    [(0, ''), (1, '0'), (3, '0, 1, 2'), (4, '0, 1, 2 and 1 more')],
)
def test_names(total, text):
    assert first_few(range(total), 3) == text


@pytest.mark.parametrize(
    ('total', 'text'), [(2, '  0\n  1'), (5, '  0\n  1\n  and 3 more')]
)
def test_lines(total, text):
    assert first_lines(range(total), 2) == text
