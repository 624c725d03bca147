"""Metrics of runs: how they are read, chosen and compared over seeds."""

from __future__ import annotations

import pytest

from mmmix.studies.seeds.logged_metrics import read_metrics, scalar_files
from mmmix.studies.seeds.report import (
    Spread,
    choose_metrics,
    finished_scores,
    paired_differences,
    report,
    spread_over_seeds,
    unknown_metrics,
)


def test_metrics_are_found_and_read(tmp_path):
    log = tmp_path / '20260101_000000'
    (log / 'vis_data').mkdir(parents=True)
    for path in (log / 'vis_data/20260101_000000.json', log / 'config.json'):
        path.write_text('{}')
    file = log / '20260101_000000.json'
    file.write_text('{"pascal_voc/mAP": 0.5, "n": 2, "x": true, "time": 1, "l": [1]}')
    assert scalar_files(tmp_path) == {file}
    assert read_metrics(file) == {'pascal_voc/mAP': 0.5, 'n': 2.0}


def scores():
    def run(ap, voc=0.5):
        return {'coco/AP': ap, 'voc/mAP': voc}

    return {
        'plain': {0: run(0.50), 1: run(0.70), 2: run(0.90)},
        'mix': {2: run(0.95), 0: run(0.60), 3: run(0.10)},
        'none': {},
    }


def test_spread_by_hand():
    spread = spread_over_seeds(scores(), 'coco/AP')
    assert spread['plain'] == Spread(pytest.approx(0.7), pytest.approx(0.2), 3)
    # 0.95, 0.60, 0.10: mean 0.55, squares 0.16 + 0.0025 + 0.2025 over 2.
    assert spread['mix'] == Spread(pytest.approx(0.55), pytest.approx(0.1825**0.5), 3)
    assert spread['none'] == Spread(None, None, 0)
    assert Spread.of([0.25]) == Spread(0.25, None, 1)


def test_differences_are_paired_by_seed():
    # Seeds 0 and 2 are common: 0.60 - 0.50 and 0.95 - 0.90.
    differences = paired_differences(scores(), 'coco/AP')
    assert differences == {
        'mix': Spread(pytest.approx(0.075), pytest.approx(0.00125**0.5), 2),
        'none': Spread(None, None, 0),
    }


@pytest.mark.parametrize('absent', [float('nan'), -1.0])
def test_absent_values_do_not_count(absent):
    table = scores()
    table['mix'][0]['coco/AP'] = absent
    assert spread_over_seeds(table, 'coco/AP')['mix'].n == 2
    assert paired_differences(table, 'coco/AP')['mix'].n == 1


def test_report_text():
    text, numbers = report(scores(), ['coco/AP'])
    assert text.splitlines() == [
        'Mean ± standard deviation over seeds (number of seeds)',
        '',
        '| config |           coco/AP |',
        '|--------|------------------:|',
        '| plain  | 0.700 ± 0.200 (3) |',
        '| mix    | 0.550 ± 0.427 (3) |',
        '| none   |               n/a |',
        '',
        'Difference to plain, paired by seed, and its 95 % interval',
        '',
        '| config |                     coco/AP |',
        '|--------|----------------------------:|',
        '| mix    | +0.075 [-0.243, +0.393] (2) |',
        '| none   |                         n/a |',
        '',
        'Beside plain:',
        '',
        '- mix: coco/AP is +0.075, which is not certain (95 % interval -0.243 to '
        '+0.393, 2 seeds): so many find one of 0.408 in four studies of five; one like '
        'this takes some 5 seeds.',
        '- none: no seed has coco/AP for both.',
    ]
    paired = numbers['paired']['coco/AP']
    assert paired['mix']['n'] == 2
    # t(1) is 12.706 at 97.5 %, and s / √2 is 0.025
    assert paired['mix']['half_width'] == pytest.approx(12.706 * 0.025, rel=1e-4)
    assert paired['none'] == dict(mean=None, std=None, n=0)


def test_metrics_are_chosen():
    assert choose_metrics(scores(), None) == ['coco/AP', 'voc/mAP']
    assert choose_metrics(scores(), ['voc/mAP']) == ['voc/mAP']
    assert choose_metrics(scores(), ['voc/AP', 'voc/mAP']) == ['voc/mAP']
    assert choose_metrics(scores(), ['voc/AP']) == ['coco/AP', 'voc/mAP']
    assert choose_metrics({'plain': {}}, ['voc/AP']) == ['voc/AP']


def test_unknown_metrics_are_said():
    assert unknown_metrics(scores(), ['voc/mAP']) == ''
    assert unknown_metrics(scores(), None) == ''
    assert unknown_metrics({'plain': {}}, ['voc/AP']) == ''
    said = unknown_metrics(scores(), ['voc/AP', 'voc/mAP'])
    assert said == (
        "--metric: no run has the metrics ['voc/AP']; there are ['coco/AP', 'voc/mAP']"
    )


def test_only_finished_runs_of_the_named_configs_count():
    records = {
        'a/seed_0': dict(config='x/a.py', seed=0, state='done', metrics={'m': 1.0}),
        'a/seed_1': dict(config='x/a.py', seed=1, state='trained'),
        'b/seed_0': dict(config='x/b.py', seed=0, state='done', metrics={'m': 2.0}),
    }
    assert finished_scores(records, ['y/a.py', 'c.py']) == {
        'a': {0: {'m': 1.0}},
        'c': {},
    }
