"""The table of milder mixing on top of crops says what its records say."""

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
}


@pytest.mark.parametrize('row', METHODS)
def test_a_row_is_that_of_its_records(row):
    config = config_of(ROW)
    scores = scores_of('ssd160-100-crop-60', config, config + METHODS[row])
    assert cells(row, of_photographs('regimes')) == mean_and_differences(scores)
