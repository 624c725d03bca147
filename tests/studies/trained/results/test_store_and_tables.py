"""What the studies keep and show."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mmmix.studies.seeds.report import Spread
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.tables import (
    cell,
    difference_of_means,
    group,
    interval_cell,
    markdown_table,
    write_csv,
)


def test_a_store_goes_on(tmp_path):
    path = tmp_path / 'new' / 'results.json'
    store = ResultStore(path, {'size': (3, 4), 'limit': None})
    assert not path.exists()
    store['a'] = {'mAP': 0.5}
    assert json.loads(path.read_text())['parts'] == {'a': {'mAP': 0.5}}
    store['b'] = 2
    again = ResultStore(path, {'size': (3, 4), 'limit': None})
    assert list(again) == ['a', 'b']
    assert len(again) == 2
    assert again['b'] == 2
    assert 'a' in again
    assert 'c' not in again
    assert [file.name for file in path.parent.iterdir()] == ['results.json']


def test_a_store_of_other_settings(tmp_path):
    path = tmp_path / 'results.json'
    ResultStore(path, {'limit': None, 'seed': 0})['a'] = 1
    with pytest.raises(ValueError, match='limit: None there, 5 now'):
        ResultStore(path, {'limit': 5, 'seed': 0})
    with pytest.raises(ValueError, match='seed: 0 there, None now'):
        ResultStore(path, {'limit': None})
    path.write_text('[1]')
    with pytest.raises(ValueError, match='no file of results'):
        ResultStore(path, {})
    path.write_text('{"settings": ')
    with pytest.raises(ValueError, match='no file of results'):
        ResultStore(path, {})


def test_what_an_earlier_version_did_not_record_is_no_difference(tmp_path):
    path = tmp_path / 'results.json'
    ResultStore(path, {'seed': 0})['a'] = 1
    again = ResultStore(path, {'seed': 0, 'annotations': 'x'})
    again['b'] = 2
    with pytest.raises(ValueError, match="annotations: 'x' there, 'y' now"):
        ResultStore(path, {'seed': 0, 'annotations': 'y'})


def test_a_store_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(NotADirectoryError, match='no folder; choose another --out'):
        ResultStore(tmp_path / 'file/results.json', {})


def test_spreads_and_differences():
    spread = Spread.of([1.0, 2.0, 4.0])
    assert (spread.mean, spread.n) == (pytest.approx(7 / 3), 3)
    assert spread.std == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert Spread.of([]).mean is None
    assert Spread.of([2.0]).std is None
    unpaired = difference_of_means([2.0, 4.0, 6.0], [1.0])
    assert (unpaired.mean, unpaired.std, unpaired.n) == (3.0, None, 1)
    assert difference_of_means([], [1.0]).mean is None
    assert group([('b', 1), ('a', 2), ('b', 3)]) == {'b': [1, 3], 'a': [2]}


def test_cells():
    assert cell(Spread.of([0.5, 0.7])) == '0.600 ± 0.141'
    assert cell(Spread.of([0.5]), sign='+') == '+0.500'
    assert interval_cell(Spread.of([0.3, 0.5])) == '+0.400 [-0.871, +1.671]'
    assert cell(interval_cell(Spread.of([0.5])), sign='+') == '+0.500'
    assert cell(None) == cell(Spread.of([])) == 'n/a'
    assert cell(0.1234, digits=2) == '0.12'
    assert cell(3) == '3'


def test_tables(tmp_path):
    rows = [{'x': 'a', 'y': Spread.of([1.0, 3.0])}, {'x': 'b', 'z': 2.0}]
    assert markdown_table(rows, ['x', 'y', 'z']).splitlines()[2:] == [
        '| a | 2.000 ± 1.414 |   n/a |',
        '| b |           n/a | 2.000 |',
    ]
    write_csv(tmp_path / 'sub' / 't.csv', rows, ['x', 'y', 'z'])
    with (tmp_path / 'sub' / 't.csv').open(newline='') as file:
        first, second = csv.DictReader(file)
    assert list(first) == ['x', 'y', 'y_std', 'z']
    assert float(first['y_std']) == pytest.approx(np.sqrt(2))
    assert second == {'x': 'b', 'y': '', 'y_std': '', 'z': '2.0'}
