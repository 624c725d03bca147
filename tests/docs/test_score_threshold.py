"""The table of SSD's usual threshold of scores says what its records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import spread_over_seeds

from .evidence_page import cells, of_photographs, scores_of, without_seeds

CONFIG = 'ssd160-lite0_animals100.py'
ALL, CUT = 'ssd160-100-flip-60', 'ssd160-100-flip-60-at-0.02'
ROWS = {
    'AR of scores of 0.02 and more': (CUT, 'coco/AR_100'),
    'AR of all': (ALL, 'coco/AR_100'),
    'mAP of scores of 0.02 and more': (CUT, 'pascal_voc/mAP'),
    'mAP of all': (ALL, 'pascal_voc/mAP'),
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
