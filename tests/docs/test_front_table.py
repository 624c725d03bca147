"""The tables of mAP and of recall on photographs say what the records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import Scores

from .evidence_page import (
    base_and_differences,
    cells,
    config_of,
    of_photographs,
    scores_of,
    text_of,
)

MAP, RECALL = 'pascal_voc/mAP', 'coco/AR_100'
METHODS = ('boxmix', 'lossmix', 'weighted-union', 'noise')
FRESH = 'ssd160-100-flip-60-fresh'
STUDIES = {
    '100 images, 60 epochs': ('ssd160-100-flip-60', FRESH),
    '100 images, 180 epochs': 'ssd160-100-flip-180',
    '100 images, 180 epochs, 8 a step': 'ssd160-100-flip-180-b8',
    '300 images, 60 epochs': 'ssd160-300-flip-60',
    '1,200 images, 30 epochs (H100)': 'ssd160-1200-flip-30-h100',
    '100 images, 60 epochs, 8 a step': 'ssd160-100-flip-60-b8',
    '300 images, 28 epochs, 8 a step': 'ssd160-300-flip-28-b8',
    '1,200 images, 15 epochs, 8 a step': 'ssd160-1200-flip-15-b8',
    '100 images, jittered, 60 epochs': 'ssd160-100-jitter-60',
    '100 images, cropped, 60 epochs': 'ssd160-100-crop-60',
    '100 images, cropped, 180 epochs, 8 a step': 'ssd160-100-crop-180-b8',
    '100 images, cropped, 540 epochs, 8 a step': 'ssd160-100-crop-540-b8',
    '300 images, cropped, 60 epochs': 'ssd160-300-crop-60',
    '1,200 images, cropped, 30 epochs, 8 a step': 'ssd160-1200-crop-30-b8',
}
ELSEWHERE = {'100 images, 60 epochs': ('ssd160-100-flip-60-others', FRESH)}
"""Where the mixers of ``OTHERS`` have records of their own."""
OTHERS = ('weighted-union', 'noise')
BEHIND = (', cropped, 180 ', ', cropped, 540 ', '300 images, cropped')
"""Rows that the page of evidence leaves to those behind it."""
IN_SHORT = [row for row in STUDIES if not any(part in row for part in BEHIND)]


def scores_of_row(row: str, *methods: str) -> Scores:
    """The records behind a row: its plain runs, then those of methods."""
    config, folder = config_of(row), STUDIES[row]
    scores = scores_of(folder, config)
    for method in methods:
        own = ELSEWHERE.get(row, folder) if method in OTHERS else folder
        scores |= scores_of(own, f'{config}+{method}')
    return scores


def map_table() -> str:
    """The section of mAP on the page of evidence, without that of other detectors."""
    _, _, rest = text_of('evidence.md').partition('\n## mAP')
    return rest.partition('\n## ')[0]


@pytest.mark.parametrize('row', IN_SHORT)
def test_a_row_of_the_page_is_that_of_its_records(row):
    expected = base_and_differences(scores_of_row(row, *METHODS), MAP)
    recall = base_and_differences(scores_of_row(row, 'boxmix'), RECALL)
    assert cells(row, map_table()) == [*expected, recall[-1]]


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_of_recall_is_that_of_its_records(row):
    expected = base_and_differences(scores_of_row(row, *METHODS), RECALL)
    assert cells(row, of_photographs('recall')) == expected
