"""The table of plain runs in other steps says what its records say."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import paired_differences, spread_over_seeds

from .evidence_page import cells, scores_of, training_map, without_seeds

STUDIES = {
    '100 images, 60 epochs, 16 a step': 'ssd160-100-flip-60',
    '100 images, 28 epochs, 8 a step': 'ssd160-100-flip-28-b8',
    '100 images, 60 epochs, 8 a step': 'ssd160-100-flip-60-b8',
    '300 images, 60 epochs, 16 a step': 'ssd160-300-flip-60',
    '300 images, 28 epochs, 8 a step': 'ssd160-300-flip-28-b8',
}


@pytest.mark.parametrize('row', STUDIES)
def test_a_row_is_that_of_its_records(row):
    methods = ('', '+boxmix', '+lossmix')
    config = f'ssd160-lite0_animals{row.split()[0]}.py'
    scores = scores_of(STUDIES[row], *(f'{config}{method}' for method in methods))
    expected = [training_map(STUDIES[row])]
    for metric in ('pascal_voc/mAP', 'coco/AR_100'):
        base, *_ = spread_over_seeds(scores, metric).values()
        differences = paired_differences(scores, metric).values()
        expected += [without_seeds(base.text())]
        expected += [without_seeds(spread.interval()) for spread in differences]
    assert cells(row) == [str(base.n), *expected]
