"""The README's table of photographs has the means and differences of the records."""

from __future__ import annotations

import pytest

from .evidence_page import base_and_differences, text_of
from .test_front_table import METHODS, scores_of_row

METRIC = 'pascal_voc/mAP'
ROWS = {
    '100 photographs, flipped (ten seeds)': '100 images, 60 epochs',
    '100, flipped, half the batch': '100 images, 60 epochs, 8 a step',
    '100, colours jittered': '100 images, jittered, 60 epochs',
    '100, cropped and jittered': '100 images, cropped, 60 epochs',
    '1,200 photographs, flipped': '1,200 images, 30 epochs (H100)',
    '1,200, flipped, half the batch and the epochs': (
        '1,200 images, 15 epochs, 8 a step'
    ),
    '1,200, cropped and jittered, half the batch': (
        '1,200 images, cropped, 30 epochs, 8 a step'
    ),
}
"""Those of the page of evidence that its rows are."""


def short(interval: str) -> str:
    """The mean of ``+0.015 [+0.008, +0.023]``, bold where 0 is outside, as printed."""
    mean, _, bounds = interval.partition(' [')
    if not bounds:
        return mean
    low, high = (float(bound) for bound in bounds.strip(']').split(', '))
    return f'**{mean}**' if low > 0 or high < 0 else mean


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    scores = scores_of_row(ROWS[row], *METHODS)
    _, plain, *differences = base_and_differences(scores, METRIC)
    (line,) = [
        line
        for line in text_of('../README.md').splitlines()
        if line.startswith(f'| {row} |')
    ]
    found = [cell.strip() for cell in line.strip('|').split('|')[1:]]
    expected = [plain.partition(' ')[0], *map(short, differences)]
    assert found == expected
