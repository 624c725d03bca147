"""The table of settings on val says what its records say."""

from __future__ import annotations

import pytest

from .evidence_page import cells, of_photographs, scores_of, seeds_and_means

FOLDER = 'ssd160-100-flip-60-b8-val'
CONFIG = 'ssd160-lite0_animals100.py'
ROWS = {
    'plain, on val': '',
    'BoxMix, α = 0.2, on val': '+boxmix@mix.ratio.alpha=0.2',
    'BoxMix, α = 1, on val': '+boxmix@mix.ratio.alpha=1',
    'BoxMix, half of each batch, on val': '+boxmix@mix.fraction=0.5',
    'BoxMix, last 120 steps unmixed, on val': '+boxmix@custom_hooks.2.last=120',
    'LossMix, α = 0.2, on val': '+lossmix@mix.ratio.alpha=0.2',
    'LossMix, α = 1, on val': '+lossmix@mix.ratio.alpha=1',
    'LossMix, half of each batch, on val': '+lossmix@mix.fraction=0.5',
    'LossMix, last 120 steps unmixed, on val': '+lossmix@custom_hooks.2.last=120',
}


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    scores = scores_of(FOLDER, CONFIG + ROWS[row])
    assert cells(row, of_photographs('regimes')) == seeds_and_means(scores)
