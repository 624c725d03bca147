"""The README's table of photographs has the means of the records."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import spread_over_seeds

from .evidence_page import cells, config_of, scores_of, text_of, without_seeds

ROWS = {
    '[100 photographs](docs/evidence.md)': (
        'ssd160-100-flip-60',
        ('', '+union', '+boxmix', '+lossmix'),
    ),
    '[1,200 photographs](docs/evidence.md#map)': (
        'ssd160-1200-flip-30-h100',
        ('', '+boxmix', '+lossmix'),
    ),
}


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    folder, methods = ROWS[row]
    config = config_of(row.strip('['))
    scores = scores_of(folder, *(f'{config}{method}' for method in methods))
    spreads = spread_over_seeds(scores, 'pascal_voc/mAP').values()
    found = cells(row, text_of('../README.md'))
    assert [cell for cell in found if cell] == [
        without_seeds(spread.text()) for spread in spreads
    ]
