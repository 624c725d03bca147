"""The table of plain runs in other steps says what its records say."""

from __future__ import annotations

import pytest

from .evidence_page import (
    base_and_differences,
    cells,
    config_of,
    of_photographs,
    scores_of,
    training_map,
)

STUDIES = {
    '100 images, 60 epochs, 16 a step': 'ssd160-100-flip-60',
    '100 images, 28 epochs, 8 a step': 'ssd160-100-flip-28-b8',
    '100 images, 60 epochs, 8 a step': 'ssd160-100-flip-60-b8',
    '300 images, 60 epochs, 16 a step': 'ssd160-300-flip-60',
    '300 images, 28 epochs, 8 a step': 'ssd160-300-flip-28-b8',
    '1,200 images, 30 epochs, 16 a step (H100)': 'ssd160-1200-flip-30-h100',
    '1,200 images, 15 epochs, 8 a step': 'ssd160-1200-flip-15-b8',
    '100 images, cropped, 60 epochs, 16 a step': 'ssd160-100-crop-60',
    '100 images, cropped, 60 epochs, 8 a step': 'ssd160-100-crop-60-b8',
    '100 images, cropped, 180 epochs, 8 a step': 'ssd160-100-crop-180-b8',
    '100 images, cropped, 540 epochs, 8 a step': 'ssd160-100-crop-540-b8',
    '300 images, cropped, 60 epochs, 16 a step': 'ssd160-300-crop-60',
}


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    methods = ('', '+boxmix', '+lossmix')
    config = config_of(row)
    scores = scores_of(STUDIES[row], *(f'{config}{method}' for method in methods))
    seeds, *numbers = base_and_differences(scores, 'pascal_voc/mAP')
    _, *recall = base_and_differences(scores, 'coco/AR_100')
    assert cells(row, of_photographs('regimes')) == [
        seeds,
        training_map(STUDIES[row]),
        *numbers,
        *recall,
    ]
