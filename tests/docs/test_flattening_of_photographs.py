"""The table of flattened representations of photographs says what its record says."""

from __future__ import annotations

import csv

import pytest

from .evidence_page import RECORDS, cells, claimed_cell, of_photographs

RECORD = RECORDS / 'ssd160-100-flip-60-fresh' / 'claims' / 'flattening.csv'
MIXED = ('boxmix', 'lossmix', 'weighted-union')
ALL = 'all classes'
SEEDS = 5


@pytest.fixture(scope='module')
def rows():
    with RECORD.open(encoding='utf-8') as file:
        return {(r['class'], r['model']): r for r in csv.DictReader(file)}


@pytest.mark.parametrize('level', ['A1', 'A2', 'A3'])
def test_a_row_is_that_of_its_record(rows, level):
    expected = [claimed_cell(rows[ALL, 'plain'], level, 3, SEEDS)]
    expected += [claimed_cell(rows[ALL, m], f'Δ {level}', 3, SEEDS) for m in MIXED]
    assert cells(f'all classes, {level}', of_photographs('claims')) == expected


def test_how_many_classes_are_flatter(rows):
    """Five, two and two of six at A1; all six of each method at A3."""
    flatter = {
        level: [
            sum(
                float(row[f'Δ {level}']) > 0
                for (name, model), row in rows.items()
                if model == method and name != ALL
            )
            for method in MIXED
        ]
        for level in ('A1', 'A3')
    }
    assert flatter == {'A1': [5, 2, 2], 'A3': [6, 6, 6]}
    page = ' '.join(of_photographs('claims').split())
    assert 'BoxMix is flatter in five classes of six, LossMix and weighted' in page
    assert 'at A3 in each of the six classes on average' in page
