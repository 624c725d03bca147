"""The table of what was changed to see why mixing costs on crops, and its records."""

from __future__ import annotations

import pytest

from .evidence_page import (
    METRICS,
    base_and_differences,
    cells,
    of_photographs,
    scores_of,
)

CONFIG = 'ssd160-lite0_animals300-crop.py'
SECTION = '### What does not turn it'
BASE = 'ssd160-100-crop-60'
# row -> (records of the plain run, of BoxMix)
ROWS = {
    'as above, the first seed': (BASE, BASE),
    'positives of both images': (BASE, f'{BASE}-any'),
    'positives by each image apart': (BASE, f'{BASE}-factored'),
    'the whole backbone frozen': (f'{BASE}-frozen', f'{BASE}-frozen'),
    'nothing frozen': (f'{BASE}-open', f'{BASE}-open'),
}


def first_seed(folder: str, config: str) -> dict:
    """The scores of the first seed of a config."""
    (runs,) = scores_of(folder, config).values()
    return {0: runs[0]}


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    plain, mixed = ROWS[row]
    scores = {
        CONFIG: first_seed(plain, CONFIG),
        f'{CONFIG}+boxmix': first_seed(mixed, f'{CONFIG}+boxmix'),
    }
    expected = []
    for metric in METRICS:
        _, *numbers = base_and_differences(scores, metric)
        expected += numbers
    _, _, section = of_photographs('regimes').partition(SECTION)
    assert cells(row, section) == expected
