"""The tables of 1,200 photographs say what their records say."""

from __future__ import annotations

import pytest

from .evidence_page import cells, scores_of
from .test_other_mixers import mean_and_differences

CONFIG = 'ssd160-lite0_animals1200.py'
METHODS = {'BoxMix': 'boxmix', 'LossMix': 'lossmix', 'weighted union': 'weighted-union'}
STUDIES = {
    **{
        f'{name}, 1,200 images, 30 epochs': ('ssd160-1200-flip-30-h100', method)
        for name, method in METHODS.items()
    },
}


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    folder, method = STUDIES[row]
    assert cells(row) == mean_and_differences(
        scores_of(folder, CONFIG, f'{CONFIG}+{method}')
    )
