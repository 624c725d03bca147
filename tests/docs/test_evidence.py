"""The table of methods on 100 photographs says what its records say."""

from __future__ import annotations

import csv
import json

import pytest

from mmmix.studies.seeds.report import (
    Spread,
    paired_differences,
    spread_over_seeds,
)

from .evidence_page import RECORDS, cells, of_photographs, scores_of, without_seeds

FOLDER = RECORDS / 'ssd160-100-flip-60'
PAGE = of_photographs('methods')
CONFIG = 'ssd160-lite0_animals100.py'
ROWS = {
    'VOC mAP': 'pascal_voc/mAP',
    'COCO-style AP': 'coco/AP',
    'COCO-style AR, 100 detections': 'coco/AR_100',
}
DIFFERENCES = {
    'Δ mAP, over seeds': 'pascal_voc/mAP',
    'Δ AP, over seeds': 'coco/AP',
    'Δ AR, over seeds': 'coco/AR_100',
}


@pytest.fixture(scope='module')
def scores() -> dict:
    """The records by config and seed."""
    methods = ('', '+boxmix', '+lossmix', '+union')
    return scores_of(FOLDER.name, *(f'{CONFIG}{method}' for method in methods))


@pytest.mark.parametrize('row', ROWS)
def test_means_are_those_of_the_records(row, scores):
    spreads = spread_over_seeds(scores, ROWS[row]).values()
    assert cells(row, PAGE) == [without_seeds(spread.text()) for spread in spreads]


@pytest.mark.parametrize('row', DIFFERENCES)
def test_differences_are_those_of_the_records(row, scores):
    spreads = paired_differences(scores, DIFFERENCES[row]).values()
    assert cells(row, PAGE) == [without_seeds(spread.interval()) for spread in spreads]


def test_map_of_the_training_images_is_that_of_the_records():
    runs = json.loads((FOLDER / 'training_map.json').read_text())
    spreads = [Spread.of(list(seeds.values())) for seeds in runs.values()]
    found = cells('VOC mAP of the 100 training images, seeds 0 to 2', PAGE)
    assert found == [without_seeds(spread.text()) for spread in spreads]


def test_intervals_over_images_are_those_of_the_records():
    with (FOLDER / 'image_intervals.csv').open() as file:
        _, *rows = csv.DictReader(file)
    numbers = [[float(row[f'Δ {n}']) for n in ('mAP', 'low', 'high')] for row in rows]
    expected = [f'{mean:+.3f} [{low:+.3f}, {high:+.3f}]' for mean, low, high in numbers]
    assert cells('Δ mAP, over images, seeds 0 to 2', PAGE) == expected


def test_the_page_says_how_many_seeds_there_are(scores):
    assert [len(seeds) for seeds in scores.values()] == [5, 5, 5, 5]
    assert 'checkpoint, five seeds, and' in PAGE
