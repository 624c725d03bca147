"""An interval is bold where 0 is outside as printed, on every page that says so."""

from __future__ import annotations

import re

import pytest

from .evidence_page import text_of

PAGES = [
    'evidence.md',
    *(
        f'studies/photographs/{name}.md'
        for name in ('detectors', 'methods', 'recall', 'regimes', 'teachers')
    ),
]
INTERVAL = re.compile(r'[+-]\d\.\d{3} \[([+-]\d\.\d{3}), ([+-]\d\.\d{3})\]')


def intervals(page: str) -> list[tuple[str, bool]]:
    """The intervals in tables of a page, and whether 0 is outside."""
    found = []
    for line in text_of(page).splitlines():
        if not line.startswith('|'):
            continue
        for cell in line.strip('|').split('|'):
            if match := INTERVAL.fullmatch(cell.strip(' *')):
                low, high = map(float, match.groups())
                found.append((cell.strip(), low > 0 or high < 0))
    return found


@pytest.mark.parametrize('page', PAGES)
def test_it_is_bold_where_0_is_outside(page):
    found = intervals(page)
    assert found
    assert [cell for cell, out in found if cell.startswith('**') != out] == []
