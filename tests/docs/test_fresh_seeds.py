"""What the pages say of five seeds that were trained to check the first five."""

from __future__ import annotations

import csv

import pytest
from scipy import stats

from mmmix.studies.seeds.report import Scores

from .evidence_page import (
    RECORDS,
    cells,
    mean_and_differences,
    of_photographs,
    scores_of,
    seeds_and_means,
)
from .test_front_table import FRESH, scores_of_row

CONFIG = 'ssd160-lite0_animals100.py'
ROW = '100 images, 60 epochs'
METHODS = {
    'BoxMix': 'boxmix',
    'LossMix': 'lossmix',
    'weighted union': 'weighted-union',
    'Noise': 'noise',
}
ASKED = ('boxmix', 'lossmix', 'weighted-union')
"""What the three tests were about; Noise was asked of later."""
METRIC = 'pascal_voc/mAP'
PAGE = of_photographs('methods')


def fresh(method: str) -> Scores:
    """The plain runs of the fresh seeds, and those of a method."""
    return scores_of(FRESH, CONFIG, f'{CONFIG}+{method}')


def all_ten(method: str) -> Scores:
    """The same of all seeds."""
    return scores_of_row(ROW, method)


def p_value(scores: Scores) -> float:
    """Of no difference of mAP, two-sided, by SciPy."""
    plain, mixed = scores.values()
    found = [mixed[seed][METRIC] - plain[seed][METRIC] for seed in plain]
    return float(stats.ttest_1samp(found, 0.0).pvalue)


def test_seeds_are_fresh_and_none_is_left_out():
    for method in METHODS.values():
        for seeds in fresh(method).values():
            assert sorted(seeds) == [5, 6, 7, 8, 9]
        for seeds in all_ten(method).values():
            assert sorted(seeds) == list(range(10))


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize(('row', 'of'), [('fresh seeds', fresh), ('ten', all_ten)])
def test_a_row_is_that_of_its_records(name, row, of):
    assert cells(f'{name}, {row}', PAGE) == mean_and_differences(of(METHODS[name]))


@pytest.mark.parametrize(('row', 'of'), [('fresh seeds', fresh), ('ten', all_ten)])
def test_the_plain_rows_are_those_of_their_records(row, of):
    name, seeds = next(iter(of('boxmix').items()))
    count, *means = seeds_and_means({name: seeds})
    assert [c for c in cells(f'plain, {row}', PAGE) if c] == [count, *means]


@pytest.mark.parametrize('name', METHODS)
def test_p_values_are_those_of_the_records(name):
    told = cells(f'p, {name}', PAGE)
    assert told == [f'{p_value(of(METHODS[name])):.4f}' for of in (fresh, all_ten)]


def test_holm_keeps_none_of_the_three_that_were_asked():
    least = min(p_value(fresh(method)) for method in ASKED)
    assert 3 * least > 0.05
    assert 'by Holm none of three tests' in ' '.join(PAGE.split())


def test_how_many_seeds_are_ahead():
    ahead = []
    for method in METHODS.values():
        plain, mixed = all_ten(method).values()
        ahead.append(sum(mixed[s][METRIC] > plain[s][METRIC] for s in plain))
        assert all(mixed[s]['coco/AR_100'] > plain[s]['coco/AR_100'] for s in plain)
    assert ahead == [9, 9, 10, 10]


def test_noise_holds_in_fresh_seeds_beside_the_three():
    assert p_value(fresh('noise')) * 4 < 0.05
    assert 'would beside the three others (p = .001)' in ' '.join(PAGE.split())


def test_noise_beside_boxmix():
    (_, boxmix), (_, noise) = (
        all_ten(method).items() for method in ('boxmix', 'noise')
    )
    told = mean_and_differences(dict([boxmix, noise]))[2]
    low, _, high = told.partition(' [')[2].strip(']').partition(', ')
    text = f'Noise is {told.split()[0]} ahead of BoxMix [{low}, {high}]'
    assert text.replace('0.', '.') in ' '.join(PAGE.split())


def test_intervals_over_other_images_are_those_of_the_records():
    with (RECORDS / FRESH / 'image_intervals.csv').open() as file:
        plain, *rows = csv.DictReader(file)
    assert cells('mAP of 1,100 other images', PAGE)[0] == f'{float(plain["mAP"]):.3f}'
    numbers = [[float(row[f'Δ {n}']) for n in ('mAP', 'low', 'high')] for row in rows]
    expected = [f'{mean:+.3f} [{low:+.3f}, {high:+.3f}]' for mean, low, high in numbers]
    assert cells('mAP of 1,100 other images', PAGE)[1:] == expected
