"""The table of SSD's usual threshold of scores says what its records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import spread_over_seeds

from .evidence_page import (
    base_and_differences,
    cells,
    of_photographs,
    scores_of,
    without_seeds,
)

CONFIG = 'ssd160-lite0_animals100.py'
ALL, CUT = 'ssd160-100-flip-60', 'ssd160-100-flip-60-at-0.02'
ROWS = {
    'AR of scores of 0.02 and more': (CUT, 'coco/AR_100'),
    'AR of 0.001 and more': (ALL, 'coco/AR_100'),
    'mAP of scores of 0.02 and more': (CUT, 'pascal_voc/mAP'),
    'mAP of 0.001 and more': (ALL, 'pascal_voc/mAP'),
}


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    folder, metric = ROWS[row]
    configs = [f'{CONFIG}{m}' for m in ('', '+boxmix', '+lossmix', '+union')]
    tested, found = scores_of(CUT, *configs), scores_of(folder, *configs)
    # the same checkpoints at both settings: Union's last seed has one
    both = {
        name: {seed: scores[seed] for seed in tested[name]}
        for name, scores in found.items()
    }
    assert [len(seeds) for seeds in both.values()] == [5, 5, 5, 4]
    spreads = spread_over_seeds(both, metric).values()
    assert cells(row, of_photographs('threshold')) == [
        without_seeds(spread.text()) for spread in spreads
    ]


LONG = {
    '180 epochs': 'ssd160-100-flip-180',
    '300 photographs, 60 epochs': 'ssd160-300-flip-60',
    '180 epochs, 8 a step': 'ssd160-100-flip-180-b8',
}
"""The folder of records without the threshold; that with it ends in ``-at-0.001``."""


@pytest.mark.parametrize('row', LONG)
def test_a_row_of_a_long_run_is_that_of_its_records(row):
    folder = LONG[row]
    images = '300' if '300 p' in row else '100'
    config = f'ssd160-lite0_animals{images}.py'
    configs = [f'{config}{m}' for m in ('', '+boxmix', '+lossmix', '+noise')]
    found, tested = (scores_of(folder + end, *configs) for end in ('', '-at-0.001'))
    page = of_photographs('threshold')
    for end, some in (('0.001 and more', tested), ('all', found)):
        # the same checkpoints at both settings
        scores = {
            name: {seed: some[name][seed] for seed in found[name].keys() & seeds}
            for name, seeds in tested.items()
        }
        assert cells(f'{row}, {end}', page) == base_and_differences(
            scores, 'coco/AR_100'
        )
