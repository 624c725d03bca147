"""The page of methods: which detectors each goes with, as ``--mix`` has it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.apis.configs.test_apply_mix import ALIGNED, ASKS, TWINNED

PAGE = (Path(__file__).resolve().parents[2] / 'docs/methods.md').read_text()
ROW = re.compile(r'^\| `([\w.-]+)` \|[^|]*\|[^|]*\|([^|]*)\|', re.M)
TITLES = {'FasterRCNN': 'Faster R-CNN'}
WIDTHS = {
    'nothing': 'any',
    'images': 'any',
    'boxes': 'the four',
    'features': ', '.join(TITLES.get(name, name) for name in ALIGNED),
}


def test_the_detectors_of_each_method():
    """What each asks of a detector is tried on mmdet's in ``test_apply_mix.py``."""
    rows = {name: detectors.strip() for name, detectors in ROW.findall(PAGE)}
    assert len(rows) == 8
    assert rows == {name: WIDTHS[ASKS[name]] for name in rows}
    variants = set(ASKS) - set(rows)
    assert all(f'`{name}`' in PAGE for name in variants)


def test_the_four_are_those_with_twins():
    *first, last = (TITLES.get(name, name) for name in TWINNED)
    assert f'*The four* are {", ".join(first)} and {last}, without masks.' in PAGE
