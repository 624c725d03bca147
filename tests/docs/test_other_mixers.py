"""The table of the other mixers says what its records say."""

from __future__ import annotations

import pytest

from .evidence_page import (
    cells,
    config_of,
    mean_and_differences,
    of_photographs,
    scores_of,
)

CONFIG = 'ssd160-lite0_animals100.py'
OTHERS = 'ssd160-100-flip-60-others'
METHODS = {
    'Noise': ('noise', OTHERS),
    'Weighted union': ('weighted-union', OTHERS),
    'CutMix': ('cutmix', OTHERS),
    'AlignMix': ('alignmix', 'ssd160-100-flip-60-alignmix'),
}
ON_TOP = {
    'weighted union, 100 images, 28 epochs': 'ssd160-100-flip-28-b8',
    'weighted union, 100 images, 60 epochs': 'ssd160-100-flip-60-b8',
    'weighted union, 300 images, 28 epochs': 'ssd160-300-flip-28-b8',
    'Noise, 100 images, 60 epochs': 'ssd160-100-flip-60-b8',
}
PAGE = of_photographs('methods')


@pytest.mark.parametrize('row', METHODS)
def test_a_row_is_that_of_its_records(row):
    method, folder = METHODS[row]
    own = scores_of(folder, f'{CONFIG}+{method}')
    assert cells(row, PAGE) == mean_and_differences(
        scores_of('ssd160-100-flip-60', CONFIG) | own
    )


@pytest.mark.parametrize('row', ON_TOP)
def test_a_row_on_top_of_half_the_batch_is_that_of_its_records(row):
    name, _, regime = row.partition(', ')
    config = config_of(regime)
    method = name.replace(' ', '-').lower()
    assert cells(row, PAGE) == mean_and_differences(
        scores_of(ON_TOP[row], config, f'{config}+{method}')
    )
