"""The page of classifiers says what the records of its table say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmmix.studies.seeds.records import read_records
from mmmix.studies.seeds.report import (
    finished_scores,
    paired_differences,
    spread_over_seeds,
)

DOCS = Path(__file__).resolve().parents[2] / 'docs'
PAGE = (DOCS / 'classification.md').read_text()
CONFIG = 'configs/classification/preact-r18_animal-crops'
ROWS = {
    'top-1 accuracy': 'accuracy/top1',
    'top-1 localisation': 'localization/top1_loc',
    'MaxBoxAcc': 'localization/max_box_acc',
    'MaxBoxAccV2': 'localization/max_box_acc_v2',
}


@pytest.fixture(scope='module')
def scores() -> dict:
    """The records by config and seed."""
    records, damage = read_records(DOCS / 'evidence' / 'animal-crops')
    assert not damage
    methods = ('', '_mixup', '_cutmix', '_alignmix')
    return finished_scores(records, [f'{CONFIG}{method}.py' for method in methods])


def numbers(row: str) -> list[float]:
    """All numbers of a row of the page."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f'| {row} |')]
    return [
        float(n) for n in re.findall(r'[-+]?\d+\.\d', line.removeprefix(f'| {row}'))
    ]


@pytest.mark.parametrize('row', ROWS)
def test_rows_are_those_of_the_records(row, scores):
    assert {len(seeds) for seeds in scores.values()} == {5}
    spreads = spread_over_seeds(scores, ROWS[row]).values()
    expected = [n for spread in spreads for n in (spread.mean, spread.std)]
    assert numbers(row) == pytest.approx(expected, abs=0.0501)
    found = []
    for spread in paired_differences(scores, ROWS[row]).values():
        half = spread.sureness()['half_width']
        found += [spread.mean, spread.mean - half, spread.mean + half]
    assert numbers(f'Δ {row}') == pytest.approx(found, abs=0.0501)
