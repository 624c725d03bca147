"""What the options of ``train`` do to the config, and the command to continue."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.optim import AmpOptimWrapper, OptimWrapper

from mmmix.apis.cli import build_runner
from mmmix.apis.configs import train_options
from mmmix.commands import train as train_module
from mmmix.engine import SkipNonFiniteAmpOptimWrapper, SkipNonFiniteOptimWrapper
from tests.toy_run import write_config


def options(folder, *args, **changes) -> Config:
    """The config as the options leave it."""
    parsed = train_module.parse_args([write_config(folder, **changes), *args])
    cfg = train_module.load_config(parsed)
    train_module.apply_options(cfg, parsed)
    return cfg


def test_work_dir(tmp_path):
    assert options(tmp_path, work_dir='own').work_dir == 'own'
    assert options(tmp_path, '--work-dir', 'given', work_dir='own').work_dir == 'given'
    cfg = options(tmp_path)
    assert cfg.work_dir == f'work_dirs/{Path(cfg.filename).stem}'


def test_randomness(tmp_path):
    own = dict(randomness=dict(seed=5, diff_rank_seed=True))
    assert options(tmp_path, **own).randomness == own['randomness']
    assert options(tmp_path, '--seed', '0', **own).randomness == dict(
        seed=0, diff_rank_seed=True
    )
    for none in ({}, dict(randomness=None)):
        assert options(tmp_path, '--deterministic', **none).randomness == dict(
            seed=None, deterministic=True
        )


def test_auto_scale_lr(tmp_path):
    own = dict(base_batch_size=16)
    assert options(tmp_path, '--auto-scale-lr', auto_scale_lr=own).auto_scale_lr.enable
    with pytest.raises(KeyError, match='base_batch_size'):
        options(tmp_path, '--auto-scale-lr')


def test_accumulated_batches_count_where_the_rate_is_scaled(tmp_path):
    """16 images a step are 4 batches of 4: the rate of 16 is right as it is."""
    wrapper = dict(
        type='OptimWrapper',
        accumulative_counts=4,
        optimizer=dict(type='SGD', lr=0.1),
    )
    cfg = options(
        tmp_path,
        '--auto-scale-lr',
        auto_scale_lr=dict(base_batch_size=16),
        optim_wrapper=wrapper,
    )
    assert cfg.auto_scale_lr.base_batch_size == 4
    plain = options(tmp_path, auto_scale_lr=dict(base_batch_size=16, enable=False))
    assert plain.auto_scale_lr.base_batch_size == 16


def test_a_loader_without_workers_keeps_no_settings_of_workers(tmp_path):
    choice = ['--cfg-options', 'train_dataloader.num_workers=0']
    choice += ['train_dataloader.persistent_workers=True']
    loader = options(tmp_path, *choice).train_dataloader
    assert loader.num_workers == 0
    assert 'persistent_workers' not in loader


@pytest.mark.parametrize('mix', [[], ['--mix', 'lossmix']])
def test_hooks_that_are_none_are_no_hooks(mix, tmp_path):
    """The line of docs/guides/report.md, with and without a hook of that name."""
    config = 'mmmix::demo/ssd_digits.py'
    absent = [f'default_hooks.{name}=None' for name in ('report', 'preview', 'timer')]
    more = ['--work-dir', str(tmp_path), *mix]
    parsed = train_module.parse_args([config, *more, '--cfg-options', *absent])
    cfg = train_module.load_config(parsed)
    plain = train_module.load_config(train_module.parse_args([config, *more]))
    left = dict(plain.default_hooks, timer=None)
    del left['report']
    assert dict(cfg.default_hooks) == left


def test_a_run_begins_without_the_hooks_that_are_none(tmp_path):
    """mmengine would add its own again if their None were left out."""
    hooks = dict(report=dict(type='RunReportHook'))
    none = ['timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint']
    absent = [
        f'default_hooks.{name}=None' for name in (*none, 'runtime_info', 'report')
    ]
    cfg = options(
        tmp_path, '--cfg-options', *absent, default_hooks=hooks, custom_hooks=[]
    )
    cfg.work_dir = str(tmp_path)
    assert build_runner(cfg).hooks == []


def test_files_of_weights_alone_are_not_resumed(tmp_path):
    path = str(tmp_path / 'best_mAP_epoch_3.pth')
    torch.save(dict(meta={}, state_dict={}), path)
    cfg = options(tmp_path, '--resume', path, randomness=dict(seed=1))
    with pytest.raises(ValueError, match='no optimizer.*load_from='):
        train_module.keep_course(cfg)


def test_amp(tmp_path, monkeypatch):
    monkeypatch.setattr(train_options, 'get_device', lambda: 'cpu')
    with pytest.raises(ValueError, match='--amp needs a GPU'):
        options(tmp_path, '--amp')
    monkeypatch.setattr(train_options, 'get_device', lambda: 'cuda')
    wrapper = options(tmp_path, '--amp').optim_wrapper
    assert (wrapper.type, wrapper.loss_scale) == ('AmpOptimWrapper', 'dynamic')
    guarded = 'optim_wrapper.type=SkipNonFiniteOptimWrapper'
    wrapper = options(tmp_path, '--amp', '--cfg-options', guarded).optim_wrapper
    assert wrapper.type == 'SkipNonFiniteAmpOptimWrapper'
    plain = 'optim_wrapper.type=mmengine.optim.OptimWrapper'
    wrapper = options(tmp_path, '--amp', '--cfg-options', plain).optim_wrapper
    assert wrapper.type == 'AmpOptimWrapper'
    with pytest.raises(KeyError, match='optim_wrapper'):
        options(tmp_path, '--amp', '--cfg-options', 'optim_wrapper=None')


def test_amp_keeps_what_an_own_wrapper_does(monkeypatch):
    monkeypatch.setattr(train_options, 'get_device', lambda: 'cuda')
    own = type('Own', (AmpOptimWrapper,), {})
    for kind in (own, AmpOptimWrapper, 'AmpOptimWrapper'):
        cfg = Config(dict(optim_wrapper=dict(type=kind)))
        train_options._use_amp(cfg)
        assert cfg.optim_wrapper == dict(type=kind, loss_scale='dynamic')
    for kind in (type('Own', (OptimWrapper,), {}), 'OptimWrapperDict'):
        cfg = Config(dict(optim_wrapper=dict(type=kind)))
        with pytest.raises(ValueError, match='in the place of .*leave --amp out'):
            train_options._use_amp(cfg)


@pytest.mark.parametrize(
    'kind',
    [
        'SkipNonFiniteOptimWrapper',
        'SkipNonFiniteAmpOptimWrapper',
        'mmdet.SkipNonFiniteOptimWrapper',
        'mmmix.SkipNonFiniteOptimWrapper',
        'mmmix.engine.SkipNonFiniteOptimWrapper',
        SkipNonFiniteOptimWrapper,
        SkipNonFiniteAmpOptimWrapper,
        type('Own', (SkipNonFiniteOptimWrapper,), {}),
    ],
)
def test_amp_keeps_the_guard(kind, monkeypatch):
    monkeypatch.setattr(train_options, 'get_device', lambda: 'cuda')
    cfg = Config(dict(optim_wrapper=dict(type=kind, max_skipped=5)))
    train_options._use_amp(cfg)
    assert cfg.optim_wrapper == dict(
        type='SkipNonFiniteAmpOptimWrapper', max_skipped=5, loss_scale='dynamic'
    )


def test_no_pretrained_and_cfg_options(tmp_path):
    init_cfg = dict(type='Pretrained', checkpoint='open-mmlab://x')
    changes = dict(model=dict(type='ToyModel', init_cfg=init_cfg), load_from='x.pth')
    cfg = options(tmp_path, '--no-pretrained', **changes)
    assert (cfg.model, cfg.load_from) == (dict(type='ToyModel'), None)
    choice = ['--cfg-options', 'model.norm=SyncBN', 'train_cfg.max_epochs=7']
    cfg = options(tmp_path, *choice)
    assert (cfg.model.norm, cfg.train_cfg.max_epochs) == ('SyncBN', 7)


@pytest.mark.parametrize(
    ('configured', 'saved', 'kept'), [(None, 7, 7), (3, 7, 3), (None, None, None)]
)
def test_a_resumed_run_keeps_its_seed(tmp_path, configured, saved, kept):
    path = str(tmp_path / 'iter_1.pth')
    meta = {} if saved is None else dict(seed=saved)
    torch.save(dict(meta=meta, state_dict={}, optimizer={}), path)
    changes = {} if configured is None else dict(randomness=dict(seed=configured))
    cfg = options(tmp_path, '--resume', path, **changes)
    train_module.keep_course(cfg)
    assert cfg.get('randomness', {}).get('seed') == kept
    cfg = options(tmp_path)
    train_module.keep_course(cfg)
    assert cfg.get('randomness') is None


def test_a_batch_is_scaled_in_a_run_that_goes_on_alone(tmp_path, capsys):
    cfg = options(tmp_path)
    train_module.keep_course(cfg)
    assert '--auto-scale-batch' not in capsys.readouterr().out
    train_module.keep_course(cfg, scale_batch=True)
    assert '--auto-scale-batch changes nothing here' in capsys.readouterr().out


def test_resume(tmp_path):
    path = str(tmp_path / 'epoch_1.pth')
    torch.save({}, path)
    (tmp_path / 'last_checkpoint').write_text(path)
    cfg = options(tmp_path, '--resume', path, load_from='other.pth')
    assert (cfg.resume, cfg.load_from) == (True, path)
    cfg = options(tmp_path, '--resume', '--work-dir', str(tmp_path))
    assert (cfg.resume, cfg.load_from) == (True, path)
    cfg = options(tmp_path, '--no-pretrained', '--resume', path, load_from='other.pth')
    assert (cfg.resume, cfg.load_from) == (True, path)
    cfg = options(tmp_path, resume=True, work_dir=str(tmp_path))
    assert (cfg.resume, cfg.load_from) == (True, path)


@pytest.mark.parametrize('start', [None, 'source.pth'])
def test_without_a_checkpoint_a_resumed_run_begins_as_a_new_one(tmp_path, start):
    cfg = options(tmp_path, '--resume', work_dir=str(tmp_path), load_from=start)
    assert (cfg.resume, cfg.load_from) == (False, start)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ('c.py --resume x.pth --seed 1', 'python t.py c.py --seed 1 --resume'),
        ('--resume x.pth c.py', 'python t.py c.py --resume'),
        ('c.py --resume --seed 1', 'python t.py c.py --seed 1 --resume'),
        ('c.py --resume=x.pth', 'python t.py c.py --resume'),
        (
            'c.py --cfg-options a=1 b=2',
            'python t.py c.py --cfg-options a=1 b=2 --resume',
        ),
        (
            '--local_rank=1 c.py --launcher pytorch',
            'python -m torch.distributed.run --nproc_per_node=8 t.py c.py '
            '--launcher pytorch --resume',
        ),
    ],
)
def test_resume_command(given, expected, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['t.py'])
    monkeypatch.setattr(sys.modules['__main__'], '__spec__', None)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '8')
    argv = given.split()
    args = train_module.parse_args(argv)
    assert train_module.resume_command(args, argv) == expected


def test_resume_command_of_the_module(monkeypatch):
    spec = importlib.util.find_spec('mmmix.train')
    monkeypatch.setattr(sys.modules['__main__'], '__spec__', spec)
    argv = ['c.py']
    command = train_module.resume_command(train_module.parse_args(argv), argv)
    assert command == 'python -m mmmix.train c.py --resume'


class _OwnHook(CheckpointHook):
    pass


@pytest.mark.parametrize(
    ('kind', 'taken'),
    [
        ('CheckpointHook', True),
        ('mmengine.CheckpointHook', True),
        ('mmpretrain.CheckpointHook', True),
        ('mmengine.hooks.CheckpointHook', True),
        (CheckpointHook, True),
        (_OwnHook, False),
        ('LoggerHook', False),
        (None, False),
    ],
)
def test_the_stock_hook_of_checkpoints_is_replaced_however_it_is_named(kind, taken):
    cfg = Config(dict(default_hooks=dict(checkpoint=dict(type=kind, interval=3))))
    train_options.save_whole_checkpoints(cfg)
    expected = 'mmdet.WholeCheckpointHook' if taken else kind
    assert cfg.default_hooks.checkpoint == dict(type=expected, interval=3)
