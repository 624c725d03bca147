"""The statistics, the rounds and the steps of the benchmark tools."""

from __future__ import annotations

import argparse
import itertools
import json
import runpy
import time

import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import Resize

import mmmix
from mmmix.apis.config_reading import config_name, read_config
from mmmix.apis.reporting import markdown_table, write_json
from mmmix.studies.speed.benchmark import (
    CLOCKS,
    Interval,
    alternate,
    bootstrap_median,
    column,
    paired_ratio,
    rotation,
    verdict,
)
from mmmix.studies.speed.benchmark_cli import pick_clock, run_rounds
from mmmix.studies.speed.peak_memory import peak_allocated
from mmmix.studies.speed.synthetic import SyntheticBatches, input_size, values_of
from mmmix.studies.speed.training_step import TrainingStep, num_classes

TOOL = 'mmmix.commands.benchmark_step'
CPU = torch.device('cpu')


def demo(name: str) -> str:
    return mmmix.config_path(f'demo/{name}.py')


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


@pytest.mark.parametrize('error', [KeyboardInterrupt, RuntimeError])
def test_an_interruption_keeps_the_complete_rounds(tmp_path, error):
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
    arguments = contenders, args, lambda records: {'rounds': {'n': len(records)}}
    if error is KeyboardInterrupt:
        assert run_rounds(*arguments) == {'rounds': {'n': 2}}
    else:
        with pytest.raises(RuntimeError):
            run_rounds(*arguments)
    saved = json.loads(args.out.read_text())
    assert saved['rounds'] == [{'steady': {'s': 1.0}, 'breaks': {'s': 2.0}}] * 2
    assert saved['summary'] == {'rounds': {'n': 2}}
    assert saved['machine']['torch'] == torch.__version__


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


def test_synthetic_batches():
    batches = SyntheticBatches((40, 80), batch_size=3, boxes=50, num_classes=4, pool=2)
    first, again, other = batches(0), batches(2), batches(1)
    assert [image.shape for image in first['inputs']] == [(3, 40, 80)] * 3
    assert first['inputs'][0].dtype == torch.uint8
    assert torch.equal(first['inputs'][1], again['inputs'][1])
    assert not torch.equal(first['inputs'][1], other['inputs'][1])
    first['inputs'][1].zero_()
    first['data_samples'][0].gt_instances.labels.fill_(9)
    assert batches(0)['inputs'][1].any()
    sample = batches(0)['data_samples'][0]
    boxes, labels = sample.gt_instances.bboxes.tensor, sample.gt_instances.labels
    assert labels.unique().tolist() == [0, 1, 2, 3]
    sides = (boxes[:, 2:] - boxes[:, :2]) / torch.tensor([80.0, 40.0])
    assert sides.min() >= 0.099
    assert sides.max() <= 0.601
    assert boxes.min() >= 0
    assert (boxes[:, 2] <= 80).all()
    assert (boxes[:, 3] <= 40).all()
    assert len(sample.ignored_instances.bboxes) == 0
    with pytest.raises(ValueError, match='batch_size'):
        SyntheticBatches((40, 80), batch_size=0, boxes=1, num_classes=4)


def test_input_size_and_classes_come_from_the_config():
    resize = {'type': 'Resize', 'scale': (500, 300)}
    assert input_size([{'type': 'Resize', 'scale': 9}, resize, {'type': 'X'}]) == (
        300,
        500,
    )
    for kind in ('mmdet.Resize', Resize):  # with its scope, or the class itself
        assert input_size([dict(resize, type=kind)]) == (300, 500)
    with pytest.raises(ValueError, match='--size'):
        input_size([{'type': 'RandomResize', 'scale': (1, 1)}])
    nest = {'a': 1, 'b': [{'a': 2}, {'c': {'a': 3}}]}
    assert list(values_of(nest, 'a')) == [1, 2, 3]
    assert num_classes(read_config(demo('ssd_digits'))) == 10
    assert config_name('mmmix::demo/ssd_digits.py') == 'ssd_digits'


def test_cpu_peak_is_exact():
    kept = torch.empty(5_000_000)

    def run():
        first = torch.empty(1_000_000)
        second = torch.empty(2_000_000)
        del first
        return torch.empty(500_000, dtype=torch.float64), second, kept

    assert peak_allocated(run, CPU) == 4 * 3_000_000


@pytest.fixture(scope='module')
def batches():
    return SyntheticBatches((160, 160), batch_size=2, boxes=2, num_classes=10)


def build_step(name, fetch, clock='wall'):
    cfg = runpy.run_module(TOOL)['load'](demo(name), None)
    return TrainingStep(cfg, fetch, CPU, clock=CLOCKS[clock])


def test_a_step_mixes_and_trains(batches):
    step = build_step('ssd_digits_boxmix', batches)
    optimizer = step.optim_wrapper.optimizer
    cfg = read_config(demo('ssd_digits_boxmix'))
    assert optimizer.param_groups[0]['lr'] == pytest.approx(
        1e-3 * cfg.optim_wrapper.optimizer.lr
    )
    before = {name: p.clone() for name, p in step.model.named_parameters()}
    measured = step(0)
    assert (measured['samples'], measured['mixed']) == (2, 2)
    assert measured['step_s'] > 0
    changed = [not torch.equal(before[n], p) for n, p in step.model.named_parameters()]
    assert sum(changed) > len(changed) / 2
    assert not step.leaves_no_record
    # Parameters, gradients, momentum and at least one activation map are held.
    parameters = sum(p.numel() for p in step.model.parameters())
    assert step.peak_memory() > 4 * (3 * parameters + 2 * 24 * 80 * 80)


def test_configs_of_one_architecture_start_alike(batches):
    steps = [build_step(f'ssd_digits{m}', batches) for m in ('', '_lossmix')]
    plain, mixing = (step.model.state_dict() for step in steps)
    assert plain.keys() == mixing.keys()
    assert all(torch.equal(plain[key], mixing[key]) for key in plain)


def test_noise_leaves_no_record_and_a_diverged_net_is_refused(batches):
    step = build_step('ssd_digits_noise', batches)
    assert step.leaves_no_record
    with torch.no_grad():
        next(step.model.parameters()).fill_(float('nan'))
    with pytest.raises(FloatingPointError, match='loss of round 0 is nan'):
        step(0)


def test_the_tool_reports_what_it_measured(tmp_path, capsys):
    main = runpy.run_module(TOOL)['main']
    paths = [demo('ssd_digits'), demo('ssd_digits_boxmix')]
    out = tmp_path / 'step.json'
    options = '--rounds 3 --warmups 1 --batch-size 2 --goal 100 --threads 1'
    summaries = main([*paths, *options.split(), '--out', str(out)])
    saved = json.loads(out.read_text())
    assert saved['summary'] == summaries
    assert len(saved['rounds']) == 3
    plain, boxmix = (summaries[path] for path in paths)
    assert (plain['mixed_share'], boxmix['mixed_share']) == (0.0, 1.0)
    assert plain['ratio'] == {'median': 1.0, 'low': 1.0, 'high': 1.0}
    ratios = [r[paths[1]]['step_s'] / r[paths[0]]['step_s'] for r in saved['rounds']]
    assert boxmix['ratio']['median'] == pytest.approx(sorted(ratios)[1])
    speeds = [
        2 / (r[paths[1]]['step_s'] + r[paths[1]]['data_s']) for r in saved['rounds']
    ]
    assert boxmix['samples_per_s'] == pytest.approx(sorted(speeds)[1])
    assert boxmix['peak_bytes'] > 0
    interval = Interval(**boxmix['ratio'])
    assert boxmix['verdict'] == verdict(interval, 100.0)
    assert f'{interval} {boxmix["verdict"]} (goal 100)' in capsys.readouterr().out


def test_cpu_seconds_do_not_count_waiting(batches):
    def slow(index):
        time.sleep(0.3)
        return batches(index)

    wall, cpu = build_step('ssd_digits', slow), build_step('ssd_digits', slow, 'cpu')
    assert wall(0)['data_s'] >= 0.3 > cpu(0)['data_s']
    args = argparse.Namespace(clock='cpu', device='cpu')
    assert pick_clock(args, workers=0) is CLOCKS['cpu']
    with pytest.raises(ValueError, match='--workers 0'):
        pick_clock(args, workers=1)


def test_a_config_given_twice_is_refused():
    main = runpy.run_module(TOOL)['main']
    with pytest.raises(ValueError, match='given once'):
        main([demo('ssd_digits'), demo('ssd_digits')])
