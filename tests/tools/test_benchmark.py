"""The statistics, the rounds and the reports of the benchmark tools."""

from __future__ import annotations

import argparse
import itertools
import json

import numpy as np
import pytest
import torch

from mmmix.apis.reporting import markdown_table, write_json
from mmmix.engine.stop_signals import Stopped
from mmmix.studies.speed.benchmark import (
    Interval,
    alternate,
    bootstrap_median,
    column,
    paired_ratio,
    rotation,
    verdict,
)
from mmmix.studies.speed.benchmark_cli import run_rounds


def test_bootstrap_interval_matches_the_exact_distribution():
    # Medians of all 27 resamples of three values: 1 and 9 come 7 times each, 2
    # comes 13 times.
    values = [1.0, 9.0, 2.0]
    medians = [np.median(draw) for draw in itertools.product(values, repeat=3)]
    assert [medians.count(value) for value in (1, 2, 9)] == [7, 13, 7]
    assert bootstrap_median(values, level=0.95) == Interval(2.0, 1.0, 9.0)
    # 7 / 27 = 0.26 lies below the 0.30 quantile, so both bounds are the median.
    assert bootstrap_median(values, level=0.4) == Interval(2.0, 2.0, 2.0)


def test_bootstrap_is_a_percentile_of_resampled_medians():
    values = np.random.default_rng(7).normal(1.0, 0.1, 21)
    rng = np.random.default_rng(3)
    medians = sorted(
        sorted(values[i] for i in rng.integers(21, size=21))[10] for _ in range(2000)
    )
    ours = bootstrap_median(values.tolist(), resamples=2000, seed=3)
    assert ours.median == sorted(values)[10]
    # The 2.5 % and 97.5 % points of 2000 sorted values, interpolated by hand.
    low, high = 0.025 * 1999, 0.975 * 1999
    for got, at in ((ours.low, low), (ours.high, high)):
        below, above = medians[int(at)], medians[int(at) + 1]
        assert got == pytest.approx(below + (at - int(at)) * (above - below))
    assert bootstrap_median(values.tolist()) == bootstrap_median(values.tolist())


@pytest.mark.parametrize('values', [[], [1.0, float('nan')], [float('inf')]])
def test_bootstrap_refuses_what_has_no_median(values):
    with pytest.raises(ValueError, match='non-empty list of finite'):
        bootstrap_median(values)


def test_ratios_are_paired_by_round():
    # Rounds differ by their load. The ratio of medians would be 4 / 2 = 2.
    slow, fast = [2.0, 4.0, 90.0], [1.0, 2.5, 60.0]
    assert paired_ratio(slow, fast).median == pytest.approx(1.6)
    assert paired_ratio(fast, fast) == Interval(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match='3 and 2'):
        paired_ratio(slow, fast[:2])


@pytest.mark.parametrize(
    ('interval', 'goal', 'at_most', 'expected'),
    [
        (Interval(1.03, 1.01, 1.05), 1.02, True, 'met'),
        (Interval(1.04, 1.03, 1.05), 1.02, True, 'missed'),
        (Interval(1.00, 0.90, 1.10), 1.02, True, 'inconclusive'),
        (Interval(1.00, 0.94, 1.06), 1.02, True, 'inconclusive'),
        (Interval(1.00, 1.00, 1.00), 1.02, True, 'inconclusive'),
        (Interval(1.75, 1.70, 1.82), 1.8, False, 'met'),
        (Interval(1.75, 1.70, 1.79), 1.8, False, 'missed'),
        (Interval(2.50, 2.00, 3.00), 1.8, False, 'inconclusive'),
    ],
)
def test_verdict(interval, goal, at_most, expected):
    assert verdict(interval, goal, at_most=at_most) == expected


def test_every_contender_takes_every_place():
    orders = [rotation(3, index) for index in range(6)]
    assert orders[:3] == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    for place in range(3):
        assert sorted(order[place] for order in orders) == [0, 0, 1, 1, 2, 2]


def test_rounds_alternate_and_warm_ups_do_not_count(capsys):
    calls = []

    def contender(name):
        def run(index):
            calls.append((index, name))
            return {'s': float(index)}

        return run

    contenders = {name: contender(name) for name in 'ab'}
    records = list(alternate(contenders, rounds=2, warmups=1))
    order = [(0, 'a'), (0, 'b'), (1, 'b'), (1, 'a'), (2, 'a'), (2, 'b')]
    assert calls == order
    assert [list(record) for record in records] == [['a', 'b']] * 2
    assert column(records, 'b', 's') == [1.0, 2.0]
    assert '3/3' in capsys.readouterr().err
    with pytest.raises(ValueError, match='rounds >= 1'):
        list(alternate(contenders, rounds=0, warmups=0))


# Stopped is what a signal makes in the commands, Ctrl-C too.
@pytest.mark.parametrize('error', [KeyboardInterrupt, Stopped(2), RuntimeError])
def test_an_interruption_keeps_the_complete_rounds(tmp_path, error, capsys):
    def steady(index):
        return {'s': 1.0}

    def breaks(index):
        if index == 3:
            raise error
        return {'s': 2.0}

    args = argparse.Namespace(
        rounds=9, warmups=1, device='cpu', out=tmp_path / 'out.json', seed=0
    )
    contenders = {'steady': steady, 'breaks': breaks}
    kind = type(error) if isinstance(error, Stopped) else error
    with pytest.raises(kind):
        run_rounds(
            contenders, args, lambda records: {'rounds': {'n': len(records)}}, str
        )
    printed = "{'rounds': {'n': 2}}\n" if kind is not RuntimeError else ''
    assert capsys.readouterr().out == printed
    saved = json.loads(args.out.read_text())
    assert saved['rounds'] == [{'steady': {'s': 1.0}, 'breaks': {'s': 2.0}}] * 2
    assert saved['summary'] == {'rounds': {'n': 2}}
    assert saved['machine']['torch'] == torch.__version__


def test_results_that_cannot_be_written_are_refused_before_the_first_round(tmp_path):
    (tmp_path / 'file').touch()
    args = argparse.Namespace(out=tmp_path / 'file/out.json')
    with pytest.raises(NotADirectoryError, match='no folder; choose another --out'):
        run_rounds({}, args, dict, str)


def test_markdown_table():
    text = markdown_table(['config', 'x'], [['a', '1.50'], ['longer', '2']])
    assert text.splitlines() == [
        '| config |    x |',
        '|--------|-----:|',
        '| a      | 1.50 |',
        '| longer |    2 |',
    ]
    with pytest.raises(ValueError, match='2 cells'):
        markdown_table(['config', 'x'], [['a']])


def test_json_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / 'new' / 'out.json'
    write_json(path, {'a': 1})
    with pytest.raises(TypeError):
        write_json(path, {'a': object()})
    assert json.loads(path.read_text()) == {'a': 1}
    assert list(path.parent.iterdir()) == [path]
