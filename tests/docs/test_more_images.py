"""The tables of 1,200 photographs say what their records say."""

from __future__ import annotations

import pytest

from .evidence_page import cells, of_photographs, scores_of
from .test_other_mixers import mean_and_differences

CONFIG = 'ssd160-lite0_animals1200.py'
METHODS = {'BoxMix': 'boxmix', 'LossMix': 'lossmix', 'weighted union': 'weighted-union'}
FOLDER = 'ssd160-1200-flip-30-h100'
ROWS = {f'{name}, 1,200 images, 30 epochs': METHODS[name] for name in METHODS}


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    scores = scores_of(FOLDER, CONFIG, f'{CONFIG}+{ROWS[row]}')
    assert cells(row, of_photographs('regimes')) == mean_and_differences(scores)
