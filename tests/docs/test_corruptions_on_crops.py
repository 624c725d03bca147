"""The table of corruptions of detectors trained on crops says what its record says."""

from __future__ import annotations

import csv

import pytest

from .evidence_page import RECORDS, cells, claimed_cell, of_photographs

RECORD = RECORDS / 'ssd160-100-crop-60' / 'claims' / 'corruptions.csv'
METRICS = {'mAP': 'pascal_voc/mAP', 'AR': 'coco/AR_100'}
CORRUPTIONS = {
    'clean': 'clean',
    'fog': 'fog:3',
    'contrast': 'contrast:3',
    'Gaussian noise': 'gaussian_noise:3',
    'motion blur': 'motion_blur:3',
    'JPEG': 'jpeg_compression:3',
    'mean of the five': 'mean of 5 corruptions',
}
ROWS = [
    *(('mAP', corruption) for corruption in CORRUPTIONS),
    ('AR', 'clean'),
    ('AR', 'mean of the five'),
]
MODELS = ('plain', 'boxmix', 'lossmix')
SEEDS = 3
PAGE = of_photographs('claims').partition('\n## Is it more robust on top of crops?')[2]


@pytest.fixture(scope='module')
def rows():
    with RECORD.open(encoding='utf-8') as file:
        return {(r['perturbation'], r['model']): r for r in csv.DictReader(file)}


@pytest.mark.parametrize(('name', 'corruption'), ROWS)
def test_a_row_is_that_of_its_record(rows, name, corruption):
    metric, found = METRICS[name], CORRUPTIONS[corruption]
    assert cells(f'{name}, {corruption}', PAGE) == [
        claimed_cell(
            rows[found, model], metric if model == 'plain' else f'Δ {metric}', 3, SEEDS
        )
        for model in MODELS
    ]


def test_what_is_lost_to_corruptions(rows):
    plain, boxmix, lossmix = (
        float(rows['clean', model][METRICS['mAP']])
        - float(rows['mean of 5 corruptions', model][METRICS['mAP']])
        for model in MODELS
    )
    told = f"({boxmix:.3f} and {lossmix:.3f} of mAP for the plain one's {plain:.3f})"
    assert told.replace('0.', '.') in ' '.join(PAGE.split())


def test_mixed_detectors_are_behind_under_each(rows):
    key = f'Δ {METRICS["mAP"]}'
    assert all(float(row[key]) < 0 for row in rows.values() if row[key])
