"""What the pages say of their intervals as a whole follows from the records.

The p-values are SciPy's, not of the code that makes the intervals.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mmmix.studies.seeds.intervals import detectable, half_width

from .evidence_page import of_photographs, scores_of, text_of
from .test_detectors import IN_SHORT as OF_DETECTORS
from .test_detectors import scores_of_detector
from .test_front_table import IN_SHORT, MAP, METHODS, RECALL, STUDIES, scores_of_row

LEVEL = 0.05
TABLES = {MAP: [*IN_SHORT, *OF_DETECTORS], RECALL: list(STUDIES)}
PAGE = ' '.join(of_photographs('trust').split())
FRONT = ' '.join(text_of('evidence.md').split())


def differences(metric: str) -> dict[tuple[str, str], list[float]]:
    """Of a table, by row and method, the differences of two seeds and more."""
    found = {}
    for row in TABLES[metric]:
        of_row = scores_of_detector if row in OF_DETECTORS else scores_of_row
        base, *mixed = of_row(row, *METHODS).values()
        for method, runs in zip(METHODS, mixed, strict=True):
            values = [runs[s][metric] - base[s][metric] for s in runs if s in base]
            if len(values) > 1:
                found[row, method] = values
    return found


def holding_at_once(values: dict[tuple[str, str], list[float]]) -> dict:
    """Those differences from 0 that Holm's procedure keeps, with their signs."""
    ranked = sorted((stats.ttest_1samp(v, 0.0).pvalue, k) for k, v in values.items())
    kept = {}
    for rank, (p, key) in enumerate(ranked):
        if p * (len(ranked) - rank) > LEVEL:
            break
        kept[key] = np.sign(np.mean(values[key]))
    return kept


def test_how_many_intervals_each_table_has():
    of_map, of_recall = (len(differences(metric)) for metric in (MAP, RECALL))
    told = f'The table of mAP has {of_map} intervals, that of recall {of_recall}'
    assert told in PAGE


def test_of_map_three_gains_and_three_losses_hold_at_once():
    first, cropped = '100 images, 60 epochs', '100 images, cropped, 60 epochs'
    assert holding_at_once(differences(MAP)) == {
        (first, 'lossmix'): 1,
        (first, 'weighted-union'): 1,
        (first, 'noise'): 1,
        (cropped, 'lossmix'): -1,
        (cropped, 'weighted-union'): -1,
        ('RetinaNet, 100 images', 'weighted-union'): -1,
    }
    assert (
        'the gains of LossMix, weighted union and Noise in the first row, and the '
        'losses of LossMix and weighted union with 100 cropped photographs and of '
        'weighted union with RetinaNet;'
    ) in PAGE


def test_of_recall_the_gains_of_the_first_row_hold_at_once():
    row = '100 images, 60 epochs'
    kept = holding_at_once(differences(RECALL))
    expected = {(row, method): 1 for method in METHODS}
    longer = '100 images, 180 epochs'
    assert kept == expected | {(longer, m): 1 for m in METHODS if m != 'weighted-union'}
    assert 'the four gains of the first row and the three in 180 epochs.' in PAGE


def test_the_weakest_gain_of_map_is_that_of_1200():
    gains = {
        key: stats.ttest_1samp(values, 0.0).pvalue
        for key, values in differences(MAP).items()
        if np.mean(values) > 0
    }
    shown = {key: p for key, p in gains.items() if p < LEVEL}
    assert max(shown, key=shown.get) == ('1,200 images, 30 epochs (H100)', 'boxmix')
    assert f'(p = {max(shown.values()):.2f})'.replace('0.', '.') in PAGE


@pytest.mark.parametrize(
    ('seeds', 'text'),
    [
        (10, 'ten find a gain of {} to {} of mAP'),
        (5, 'five one of {} to {},'),
        (3, 'three one of {} to {}:'),
    ],
)
def test_what_so_many_seeds_find(seeds, text):
    found = [
        detectable(float(np.std(values, ddof=1)), seeds)
        for values in differences(MAP).values()
        if len(values) == seeds
    ]
    ends = (f'{end:.3f}'.removeprefix('0') for end in (min(found), max(found)))
    assert text.format(*ends) in PAGE


def test_lossmix_costs_a_teacher_map_over_both_machines():
    values = []
    for folder in ('ssd160-semi', 'ssd160-semi-h100'):
        name = 'ssd160-lite0_animals100-semi_mean-teacher'
        plain, mixed = scores_of(folder, f'{name}.py', f'{name}-lossmix.py').values()
        metric = MAP
        values += [mixed[seed][metric] - plain[seed][metric] for seed in mixed]
    assert len(values) == 8
    mean = float(np.mean(values))
    low, high = stats.t.interval(0.95, 7, mean, stats.sem(values))
    assert mean - low == pytest.approx(half_width(float(np.std(values, ddof=1)), 8))
    told = f'({mean:+.3f} [{low:+.3f}, {high:+.3f}])'.replace('0.', '.')
    page = ' '.join(of_photographs('teachers').split())
    assert told.strip('()').replace('-', '- ', 1) in page


def test_lossmix_is_behind_with_more_images_or_half_the_batch():
    behind = []
    for folder in (
        'ssd160-300-flip-20',
        'ssd160-300-flip-60',
        'ssd160-300-flip-28-b8',
        'ssd160-1200-flip-30-h100',
        'ssd160-100-flip-28-b8',
        'ssd160-100-flip-60-b8',
    ):
        images = folder.split('-')[1]
        config = f'ssd160-lite0_animals{images}.py'
        plain, mixed = scores_of(folder, config, f'{config}+lossmix').values()
        metric = MAP
        behind += [mixed[seed][metric] < plain[seed][metric] for seed in mixed]
    assert all(behind)
    assert f'behind in mAP in {len(behind)} runs of {len(behind)}' in FRONT
