"""The table of noise on detectors of 1,200 photographs says what its record says."""

from __future__ import annotations

import csv

import pytest

from .evidence_page import RECORDS, cells, of_photographs

RECORD = RECORDS / 'ssd160-1200-flip-30-h100' / 'claims' / 'noise.csv'
METRICS = {'mAP': 'pascal_voc/mAP', 'AR': 'coco/AR_100'}
LEVELS = {
    'of 300 images': 'clean',
    **{f'under noise, σ = {level}': f'gaussian:{level}' for level in (0.1, 0.2, 0.4)},
}


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('name', METRICS)
def test_a_row_is_that_of_its_record(name, level):
    with RECORD.open(encoding='utf-8') as file:
        rows = {(r['perturbation'], r['model']): r for r in csv.DictReader(file)}
    metric = METRICS[name]
    plain, *mixed = (
        rows[LEVELS[level], model] for model in ('baseline', 'boxmix', 'lossmix')
    )
    assert cells(f'1,200 images: {name} {level}', of_photographs('claims')) == [
        f'{float(plain[metric]):.3f}',
        *(f'{float(row["Δ " + metric]):+.3f}' for row in mixed),
    ]
