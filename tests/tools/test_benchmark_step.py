"""The inputs and the steps of the benchmark tools."""

from __future__ import annotations

import argparse
import json
import runpy
import time

import pytest
import torch
from mmdet.datasets.transforms import Resize

import mmmix
from mmmix.apis.configs.config_reading import config_name, read_config
from mmmix.studies.speed.benchmark import CLOCKS, Interval, verdict
from mmmix.studies.speed.benchmark_cli import pick_clock
from mmmix.studies.speed.peak_memory import peak_allocated
from mmmix.studies.speed.synthetic import SyntheticBatches, input_size, values_of
from mmmix.studies.speed.training_step import TrainingStep, num_classes

TOOL = 'mmmix.commands.benchmark_step'
CPU = torch.device('cpu')


def demo(name: str) -> str:
    return mmmix.config_path(f'demo/{name}.py')


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


@pytest.mark.parametrize(
    ('tool', 'words', 'said'),
    [
        (TOOL, ['--workers', '2'], '--workers load the images of --data config'),
        (TOOL, ['--data', 'config', '--size', '64', '64'], '--size is that of --data'),
        (TOOL, ['--mix-options', 'prob=1'], 'settings of CONFIG+METHOD'),
        ('mmmix.commands.count_ops', ['--mix-options', 'prob=1'], 'of CONFIG+METHOD'),
    ],
)
def test_options_without_effect_are_refused(tool, words, said, capsys):
    parse = runpy.run_module(tool)['parse_args']
    with pytest.raises(SystemExit, match='^2$'):
        parse([demo('ssd_digits'), demo('ssd_digits_boxmix'), *words])
    assert said in capsys.readouterr().err


def test_a_config_given_twice_is_refused():
    main = runpy.run_module(TOOL)['main']
    with pytest.raises(ValueError, match='given once'):
        main([demo('ssd_digits'), demo('ssd_digits')])
