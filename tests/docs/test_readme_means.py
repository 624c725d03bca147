"""The README's table of photographs has the means and differences of the records."""

from __future__ import annotations

import pytest

from .evidence_page import base_and_differences, scores_of, text_of
from .test_front_table import STUDIES, WEIGHTED

METRIC = 'pascal_voc/mAP'
FLIPPED = 'ssd160-lite0_animals{}.py'
CROPPED = 'ssd160-lite0_animals300-crop.py'
FIRST = '100 images, 60 epochs'
ROWS = {
    '100 photographs, flipped (ten seeds)': (STUDIES[FIRST], FLIPPED.format(100)),
    '100, flipped, half the batch': ('ssd160-100-flip-60-b8', FLIPPED.format(100)),
    '100, cropped and jittered': ('ssd160-100-crop-60', CROPPED),
    '1,200 photographs, flipped': (
        'ssd160-1200-flip-30-h100',
        FLIPPED.format(1200),
    ),
    '1,200, flipped, half the batch and the epochs': (
        'ssd160-1200-flip-15-b8',
        FLIPPED.format(1200),
    ),
}


def short(interval: str) -> str:
    """The mean of ``+0.015 [+0.008, +0.023]``, bold where 0 is outside, as printed."""
    mean, _, bounds = interval.partition(' [')
    if not bounds:
        return mean
    low, high = (float(bound) for bound in bounds.strip(']').split(', '))
    return f'**{mean}**' if low > 0 or high < 0 else mean


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    folder, config = ROWS[row]
    scores = scores_of(folder, config, f'{config}+boxmix', f'{config}+lossmix')
    weighted = WEIGHTED[FIRST] if folder == STUDIES[FIRST] else folder
    scores |= scores_of(weighted, f'{config}+weighted-union')
    _, plain, *differences = base_and_differences(scores, METRIC)
    (line,) = [
        line
        for line in text_of('../README.md').splitlines()
        if line.startswith(f'| {row} |')
    ]
    found = [cell.strip() for cell in line.strip('|').split('|')[1:]]
    expected = [plain.partition(' ')[0], *map(short, differences)]
    assert found == expected
