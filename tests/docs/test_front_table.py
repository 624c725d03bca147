"""The two tables of the page of evidence say what the records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import Scores

from .evidence_page import (
    base_and_differences,
    cells,
    config_of,
    scores_of,
    text_of,
)

METRICS = {'## mAP': 'pascal_voc/mAP', '## Recall': 'coco/AR_100'}
METHODS = ('boxmix', 'lossmix', 'weighted-union')
FRESH = 'ssd160-100-flip-60-fresh'
STUDIES = {
    '100 images, 60 epochs': ('ssd160-100-flip-60', FRESH),
    '300 images, 60 epochs': 'ssd160-300-flip-60',
    '1,200 images, 30 epochs (H100)': 'ssd160-1200-flip-30-h100',
    '100 images, 60 epochs, 8 a step': 'ssd160-100-flip-60-b8',
    '300 images, 28 epochs, 8 a step': 'ssd160-300-flip-28-b8',
    '1,200 images, 15 epochs, 8 a step': 'ssd160-1200-flip-15-b8',
    '100 images, cropped, 60 epochs': 'ssd160-100-crop-60',
    '100 images, cropped, 180 epochs, 8 a step': 'ssd160-100-crop-180-b8',
    '100 images, cropped, 540 epochs, 8 a step': 'ssd160-100-crop-540-b8',
    '300 images, cropped, 60 epochs': 'ssd160-300-crop-60',
    '1,200 images, cropped, 30 epochs, 8 a step': 'ssd160-1200-crop-30-b8',
}
# where weighted union has records of its own
WEIGHTED = {'100 images, 60 epochs': ('ssd160-100-flip-60-others', FRESH)}


def scores_of_row(row: str, *methods: str) -> Scores:
    """The records behind a row: its plain runs, then those of methods."""
    config, folder = config_of(row), STUDIES[row]
    scores = scores_of(folder, config)
    for method in methods:
        own = WEIGHTED.get(row, folder) if method == 'weighted-union' else folder
        scores |= scores_of(own, f'{config}+{method}')
    return scores


def section(title: str) -> str:
    """The text between a title of the page and the next of its kind."""
    _, _, rest = text_of('evidence.md').partition(f'\n{title}')
    return rest.partition('\n## ')[0]


@pytest.mark.parametrize('title', METRICS)
@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row, title):
    expected = base_and_differences(scores_of_row(row, *METHODS), METRICS[title])
    assert cells(row, section(title)) == expected
