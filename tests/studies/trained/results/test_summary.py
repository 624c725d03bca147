"""Mean, spread and difference over seeds."""

from __future__ import annotations

import csv

import pytest

from mmmix.studies.seeds.report import Spread
from mmmix.studies.trained.results.summary import summarise, write_summary

RECORDS = [
    dict(model='base', noise='u', score=0.2, time=1.0),
    dict(model='base', noise='g', score=0.5, time=1.0),
    dict(model='base', noise='u', score=0.4, time=2.0),
    dict(model='base', noise='g', score=0.5, time=float('nan')),
    dict(model='mix', noise='u', score=0.5, time=2.0),
    dict(model='mix', noise='u', score=0.9, time=3.0),
    dict(model='mix', noise='g', score=0.1, time=5.0),
    dict(model='mix', noise='g', score=0.2, time=7.0),
    dict(model='one', noise='g', score=1.0, time=None),
]


def test_rows_by_condition_then_method():
    rows = summarise(RECORDS, ['noise'], ['score', 'time'])
    keys = [(row['noise'], row['model']) for row in rows]
    expected = [('u', 'base'), ('u', 'mix'), ('g', 'base'), ('g', 'mix'), ('g', 'one')]
    assert keys == expected
    table = dict(zip(keys, rows))
    assert table['u', 'base']['score'].mean == pytest.approx(0.3)
    assert table['u', 'base']['score'].std == pytest.approx(0.2 / 2**0.5)
    assert 'Δ score' not in table['u', 'base']
    paired = table['u', 'mix']['Δ score']  # 0.3 and 0.5
    assert (paired.mean, paired.std) == pytest.approx((0.4, 0.2 / 2**0.5))
    # The second seed of the base has no time: its pair is left out.
    assert table['g', 'mix']['Δ time'].mean == pytest.approx(4)
    assert table['g', 'mix']['Δ time'].std is None
    # One seed against two: the difference of the means.
    assert table['g', 'one']['Δ score'].mean == pytest.approx(0.5)
    assert table['g', 'one']['time'].mean is None
    assert table['g', 'one']['Δ time'].mean is None


def test_seeds_are_no_pairs_because_one_more_has_no_number():
    """Three seeds, of one no number, against two: 2.5 is of seed 1, 1.0 of seed 0."""
    scores = dict(base=[1.0, 2.0], mix=[None, 2.5, 3.5])
    records = [dict(model=m, score=s) for m, found in scores.items() for s in found]
    (_, row) = summarise(records, [], ['score'])
    assert row['Δ score'] == Spread(1.5, None, 2)


def test_files(tmp_path):
    rows = summarise(RECORDS, ['noise'], ['score'])
    text = write_summary(tmp_path, 'table', 'Scores', rows, ['noise'], ['score'])
    assert (tmp_path / 'table.md').read_text(encoding='utf-8') == text
    assert text.startswith('Scores\n')
    assert 'Difference to base' in text
    assert '| u     |   mix | +0.400 [-0.871, +1.671] |' in text
    with (tmp_path / 'table.csv').open(encoding='utf-8') as file:
        read = list(csv.DictReader(file))
    assert [row['model'] for row in read] == ['base', 'mix', 'base', 'mix', 'one']
    assert float(read[1]['Δ score']) == pytest.approx(0.4)
    alone = write_summary(tmp_path, 't', 'T', rows[:1], ['noise'], ['score'])
    assert 'Difference' not in alone
