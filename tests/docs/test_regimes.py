"""The table of lengths and numbers of images says what its records say."""

from __future__ import annotations

import pytest

from .evidence_page import (
    base_and_differences,
    cells,
    of_photographs,
    scores_of,
    training_map,
)

METRIC = 'pascal_voc/mAP'
STUDIES = {
    'SSD, 100 images, 20 epochs': ('ssd160-100-flip-20', 'ssd160-lite0_animals100'),
    'SSD, 100 images, 60 epochs': ('ssd160-100-flip-60', 'ssd160-lite0_animals100'),
    'SSD, 100 images, 180 epochs': ('ssd160-100-flip-180', 'ssd160-lite0_animals100'),
    'SSD, 300 images, 20 epochs': ('ssd160-300-flip-20', 'ssd160-lite0_animals300'),
    'SSD, 300 images, 60 epochs': ('ssd160-300-flip-60', 'ssd160-lite0_animals300'),
    'SSD, 1,200 images, 5 epochs': ('ssd160-1200-flip-5', 'ssd160-lite0_animals1200'),
    'SSD, 1,200 images, 30 epochs (H100)': (
        'ssd160-1200-flip-30-h100',
        'ssd160-lite0_animals1200',
    ),
}


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    folder, config = STUDIES[row]
    methods = ('', '+boxmix', '+lossmix')
    scores = scores_of(folder, *(f'{config}.py{method}' for method in methods))
    seeds, *numbers = base_and_differences(scores, METRIC)
    assert cells(row, of_photographs('regimes')) == [
        seeds,
        training_map(folder),
        *numbers,
    ]
