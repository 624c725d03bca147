"""The page of the papers' other claims on photographs says what its records say."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

from .evidence_page import RECORDS, claimed_cell, of_photographs

FOLDER = RECORDS / 'ssd160-100-flip-60' / 'claims'
METHODS = {'plain': 'baseline', 'BoxMix': 'boxmix', 'LossMix': 'lossmix'}
METHODS['Union'] = 'union'
SEEDS = 3
# of a table's row: the file, the condition, the metric and its digits
CLAIMS = {
    'detections of score 0.3 and more': ('calibration', '0.5', 'detections', 0),
    'their mean score': ('calibration', '0.5', 'mean score', 3),
    'their precision': ('calibration', '0.5', 'precision', 3),
    'score - precision': ('calibration', '0.5', 'score - precision', 3),
    'calibration error, D-ECE': ('calibration', '0.5', 'D-ECE', 3),
    'mAP of 300 images': ('noise', 'clean', 'pascal_voc/mAP', 3),
    'mAP under noise, σ = 0.1': ('noise', 'gaussian:0.1', 'pascal_voc/mAP', 3),
    'mAP under noise, σ = 0.2': ('noise', 'gaussian:0.2', 'pascal_voc/mAP', 3),
    'AR of 300 images': ('noise', 'clean', 'coco/AR_100', 3),
    'AR under noise, σ = 0.1': ('noise', 'gaussian:0.1', 'coco/AR_100', 3),
    'AR under noise, σ = 0.2': ('noise', 'gaussian:0.2', 'coco/AR_100', 3),
    'patches detected, of 300': ('transplant', '0.5', 'patches detected', 1),
    'recall of patches': ('transplant', '0.5', 'patch recall', 3),
    'precision on patches': ('transplant', '0.5', 'patch precision', 3),
    'mAP of all objects, patches too': ('transplant', '0.5', 'mAP', 3),
    'highest score, λ = 0.5': ('in_between', 'blend 0.5', 'score', 3),
    'highest detection hits, λ = 0.5': ('in_between', 'blend 0.5', 'hit', 3),
}


def rows_of(stem: str) -> dict[tuple[str, str], dict[str, str]]:
    """The records of a study by condition and method."""
    with (FOLDER / f'{stem}.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    last = [key for key in rows[0] if key != 'model'][: list(rows[0]).index('model')]
    return {(' '.join(row[k] for k in last), row['model']): row for row in rows}


def expected_cell(claim: str, method: str) -> str:
    """What a row says of a method: its mean, or its difference with the interval."""
    stem, condition, metric, digits = CLAIMS[claim]
    row = rows_of(stem).get((condition, method))
    if row is None:
        return ''
    key = metric if method == 'baseline' else f'Δ {metric}'
    return claimed_cell(row, key, digits, SEEDS)


def claims() -> Iterator[tuple[str, dict[str, str]]]:
    """The rows that begin with a claim, by the titles of their columns."""
    titles: list[str] = []
    for line in of_photographs('claims').splitlines():
        cells = [text.strip(' *') for text in line.strip().strip('|').split('|')]
        if not line.startswith('|'):
            titles = []
        elif not titles:
            titles = cells
        elif cells[0] in CLAIMS:
            yield cells[0], dict(zip(titles[1:], cells[1:], strict=True))


@pytest.mark.parametrize('claim', CLAIMS)
def test_a_row_is_that_of_its_records(claim):
    (row,) = [row for name, row in claims() if name == claim]
    for title, text in row.items():
        assert text == expected_cell(claim, METHODS[title.removeprefix('Δ ')]), title
