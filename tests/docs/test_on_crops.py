"""The table of other mixing on top of crops says what its records say."""

from __future__ import annotations

import pytest

from .evidence_page import (
    cells,
    config_of,
    mean_and_differences,
    of_photographs,
    scores_of,
)

ROW = '100 images, cropped, 60 epochs'
METHODS = {
    f'Noise, {ROW}': '+noise',
    f'weighted union, {ROW}': '+weighted-union',
    f'LossMix at α = 0.2, {ROW}': '+lossmix@mix.ratio.alpha=0.2',
    f'CutMix, {ROW}': '+cutmix',
    f'Union, {ROW}': '+union',
    f'AlignMix, {ROW}': '+alignmix',
    f'BoxMix, first half alone, {ROW}': '+boxmix@custom_hooks.2.last=180',
    f'LossMix, first half alone, {ROW}': '+lossmix@custom_hooks.2.last=180',
}


@pytest.mark.parametrize('row', METHODS)
def test_a_row_is_that_of_its_records(row):
    config = config_of(ROW)
    folder = 'ssd160-100-crop-60'
    own = f'{folder}-alignmix' if row.startswith('AlignMix') else folder
    scores = scores_of(folder, config) | scores_of(own, config + METHODS[row])
    assert cells(row, of_photographs('regimes')) == mean_and_differences(scores)
