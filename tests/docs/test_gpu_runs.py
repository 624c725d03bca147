"""The table of runs on a GPU says what its records say, and those of the CPU."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.report import Scores

from .evidence_page import METRICS, cells, of_photographs, scores_of

CONFIG = 'ssd160-lite0_animals100.py'
ON_GPU = 'ssd160-100-flip-60-h100'
ON_CPU = 'ssd160-100-flip-60-at-0.02'
ROWS = {
    'plain, seed 0': '',
    'BoxMix, seed 0': '+boxmix',
    'LossMix, seed 0': '+lossmix',
    'Union, seed 0': '+union',
    'weighted union, seed 0': '+weighted-union',
    'CutMix, seed 0': '+cutmix',
    'Noise, seed 0': '+noise',
}


def of_seed_0(scores: Scores, metric: str) -> str:
    (runs,) = scores.values()
    return f'{runs[0][metric]:.3f}'


@pytest.mark.parametrize('row', ROWS)
def test_a_row_is_that_of_its_records(row):
    cpu, gpu = (scores_of(name, f'{CONFIG}{ROWS[row]}') for name in (ON_CPU, ON_GPU))
    assert cells(row, of_photographs('threshold')) == [
        of_seed_0(scores, metric) for metric in METRICS for scores in (cpu, gpu)
    ]
