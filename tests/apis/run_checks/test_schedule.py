"""The optimizer and its schedule, as a training would build them."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmmix.apis.run_checks import schedule
from mmmix.apis.run_checks.batch import build_model
from mmmix.apis.run_checks.schedule import check_loop, check_optimizer
from tests.toy_run import ToyModel, toy_config

SGD = dict(type='SGD', lr=0.1)


@MODELS.register_module()
class ToyUnwritten(ToyModel):
    """Leaves a weight to ``init_weights``, as SSD's ``L2Norm`` does."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), float('nan')))

    def init_weights(self) -> None:
        super().init_weights()
        nn.init.constant_(self.scale, 20)


def runner_of(folder, **changes):
    init_default_scope('mmdet')
    runner, problems = build_model(
        Config(toy_config(folder, **changes)), str(folder / 'log')
    )
    assert problems == []
    return runner


def found(folder, **changes):
    """Findings as ``(level, text -> fix)``."""
    runner = runner_of(folder, **changes)
    assert list(check_loop(runner)) == []
    findings = check_optimizer(runner, with_schedule=True)
    return [(item.level, f'{item.text} -> {item.fix}') for item in findings]


def optimizer(**changes):
    return dict(optim_wrapper=dict(optimizer=dict(SGD, **changes)))


def wrapper(**changes):
    return dict(optim_wrapper=dict(optimizer=SGD, **changes))


def schedulers(*parts):
    return dict(param_scheduler=list(parts))


def test_a_model_has_its_initial_weights(tmp_path):
    assert runner_of(tmp_path, model=dict(type='ToyUnwritten')).model.scale == 20


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        (
            optimizer(lrr=0.1),
            'optim_wrapper.optimizer.lrr=0.1 is not taken*optim_wrapper.optimizer.lr?',
        ),
        (
            wrapper(optimiser=3),
            'optim_wrapper.optimiser=3 is not taken*optim_wrapper.optimizer?',
        ),
        (
            optimizer(type='SDG'),
            "optim_wrapper.optimizer.type='SDG' is not known*type='SGD'?",
        ),
        (optimizer(lr=-1), "Invalid learning rate: -1*'lr': -1"),
        (wrapper(type='OptimWraper'), "optim_wrapper.type='OptimWraper'*OptimWrapper"),
        (wrapper(constructor='Nope'), "optim_wrapper.constructor='Nope'*correct"),
        (
            schedulers(dict(type='ConstantLR'), dict(type='StepLR', step=1)),
            'param_scheduler.1.step=1 is not taken*param_scheduler.1.step_size?',
        ),
        (
            schedulers(dict(type='MultiStepL', milestones=[1])),
            "param_scheduler.0.type='MultiStepL' is not known*='MultiStepLR'?",
        ),
        (
            schedulers(dict(type='LinearLR', begin=5, end=3)),
            "param_scheduler.0*end should be larger than begin*'begin': 5",
        ),
        (dict(auto_scale_lr=dict(enable=True)), 'auto_scale_lr*`base_batch_size`*'),
    ],
)
def test_what_cannot_be_built_is_a_fault(changes, expected, tmp_path):
    *_, (level, text) = found(tmp_path, **changes)
    assert level == 'FAULT'
    for part in expected.split('*'):
        assert part in text


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({}, 'SGD, learning rate 0.1'),
        (wrapper(clip_grad=dict(max_norm=1, type='norm')), 'SGD, learning rate 0.1'),
        (
            wrapper(paramwise_cfg=dict(custom_keys={'norm': dict(lr_mult=0.1)})),
            'SGD, learning rate 0.01 to 0.1',
        ),
        (
            dict(auto_scale_lr=dict(enable=True, base_batch_size=16)),
            'SGD, learning rate 0.0125',
        ),
        (schedulers(dict(type='LinearLR', by_epoch=False)), 'SGD, learning rate 0.1'),
    ],
)
def test_what_can_be_built_is_told(changes, expected, tmp_path):
    assert found(tmp_path, **changes) == [('ok', f'{expected} -> ')]


def test_mixed_precision_waits_for_a_gpu(tmp_path, monkeypatch):
    """A login node has none; what else is wrong is found there all the same."""
    monkeypatch.setattr(schedule, 'is_cuda_available', lambda: False)
    for kind in ('AmpOptimWrapper', 'SkipNonFiniteAmpOptimWrapper'):
        amp = dict(type=kind, loss_scale='dynamic')
        (warning, told), sound = found(tmp_path, **wrapper(**amp))
        assert (warning, sound[0]) == ('warning', 'ok')
        assert f'{kind!r} (mixed precision) needs a GPU' in told
        (warning, _), (level, text) = found(tmp_path, **wrapper(**amp, optimiser=3))
        assert (warning, level) == ('warning', 'FAULT')
        assert 'optim_wrapper.optimiser=3' in text


def test_what_needs_several_processes_is_no_fault(tmp_path):
    sharded = dict(type='ZeroRedundancyOptimizer', optimizer_type='SGD')
    ((level, text),) = found(tmp_path, **optimizer(**sharded))
    assert (level, 'several processes' in text) == ('warning', True)


def test_the_runner_stays_as_it_is(tmp_path):
    runner = runner_of(tmp_path)
    list(check_loop(runner))
    before = copy.deepcopy((runner.optim_wrapper, runner.param_schedulers))
    weights = {name: w.clone() for name, w in runner.model.state_dict().items()}
    state = torch.get_rng_state()
    list(check_optimizer(runner, with_schedule=True))
    assert (runner.optim_wrapper, runner.param_schedulers) == before
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, weights[name])


def test_a_loop_that_cannot_be_built_is_a_fault(tmp_path):
    loader = toy_config(tmp_path)['train_dataloader']
    changed = dict(loader, sampler=dict(type='Nope'))
    (finding,) = check_loop(runner_of(tmp_path, train_dataloader=changed))
    assert finding.level == 'FAULT'
    assert 'Nope' in finding.text
