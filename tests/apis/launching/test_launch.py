"""Several processes for one run."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODEL_WRAPPERS
from torch import distributed as dist

from mmmix.apis.launching import launch
from mmmix.apis.launching.launch import (
    CPUDistributedDataParallel,
    launched,
    released,
)
from mmmix.commands import test as test_module
from mmmix.commands import train as train_module
from tests.toy_run import ToyModel, write_config

SLURM = {'SLURM_PROCID': '0', 'SLURM_NTASKS': '1', 'SLURM_LOCALID': '0'}
MPI = {
    'OMPI_COMM_WORLD_RANK': '0',
    'OMPI_COMM_WORLD_SIZE': '1',
    'OMPI_COMM_WORLD_LOCAL_RANK': '0',
    'OMPI_COMM_WORLD_LOCAL_SIZE': '1',
}
PYTORCH = {'RANK': '0', 'WORLD_SIZE': '1', 'LOCAL_RANK': '0'}


@pytest.fixture
def environment(monkeypatch):
    """Variables of no launcher, and a CPU; returns the function that sets some."""
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    others = ('MASTER_ADDR', 'SLURM_NNODES', 'SLURM_STEP_NUM_NODES', 'NNODES')
    elastic = ('GROUP_WORLD_SIZE', 'TORCHELASTIC_RUN_ID', 'GLOO_SOCKET_IFNAME')
    for name in (*SLURM, *MPI, *PYTORCH, *others, *elastic):
        monkeypatch.setenv(name, 'set, so that it is restored')
        monkeypatch.delenv(name)
    monkeypatch.setenv('MASTER_PORT', '0')

    def set_all(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.mark.parametrize(
    ('launcher', 'variables'), [('slurm', SLURM), ('mpi', MPI), ('pytorch', PYTORCH)]
)
def test_gloo_group_on_the_cpu(launcher, variables, environment):
    environment(variables)
    cfg = Config(dict(launcher=launcher, find_unused_parameters=True))
    with launched(cfg):
        assert dist.get_backend() == 'gloo'
        assert (dist.get_rank(), dist.get_world_size()) == (0, 1)
        assert os.environ['LOCAL_RANK'] == '0'
        model = CPUDistributedDataParallel(ToyModel('SyncBN'), device_ids=[0])
        model.train()
        with released(SimpleNamespace(model=model)):
            assert model(torch.ones(4, 1), mode='loss')['loss'].isfinite()
    assert not dist.is_initialized()
    assert cfg.model_wrapper_cfg == dict(
        type='CPUDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=True,
    )


def threads_of_gloo():
    """Names of the threads of this process that work for a group of gloo."""
    names = (Path(path, 'comm') for path in Path('/proc/self/task').iterdir())
    return [name for name in map(Path.read_text, names) if 'gloo' in name]


def test_threads_end_with_their_group_after_an_error(environment):
    environment(PYTORCH)

    def failing():
        model = CPUDistributedDataParallel(ToyModel('SyncBN').train())
        with released(SimpleNamespace(model=model)):
            model(torch.ones(4, 1), mode='loss')['loss'].backward()
            assert threads_of_gloo()
            raise RuntimeError('any error but not this one')

    with (
        pytest.raises(RuntimeError, match='not this one'),
        launched(Config(dict(launcher='pytorch'))),
    ):
        failing()
    assert not threads_of_gloo()


def test_a_model_that_was_never_built_holds_no_group():
    runner = SimpleNamespace(model=dict(type='ToyModel'))
    with pytest.raises(OSError, match='no weights'), released(runner):
        raise OSError('no weights')


def test_threads_end_with_the_group_of_a_command(environment, tmp_path):
    """Alive, they aborted now and then a process that had done its work."""
    environment(PYTORCH)
    config = write_config(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=1))
    where = ['--launcher', 'pytorch', '--work-dir', str(tmp_path / 'run')]
    train_module.main([config, *where])
    assert not threads_of_gloo()
    test_module.main([config, str(tmp_path / 'run' / 'epoch_1.pth'), *where])
    assert not threads_of_gloo()


def test_single_process_changes_nothing():
    cfg = Config(dict(launcher='none'))
    with launched(cfg):
        assert not dist.is_initialized()
    assert cfg.to_dict() == dict(launcher='none')


def test_own_wrapper_is_kept_without_a_device(environment):
    environment(PYTORCH)
    own = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=True)
    cfg = Config(dict(launcher='pytorch', model_wrapper_cfg=own))
    with launched(cfg):
        assert cfg.model_wrapper_cfg == dict(own, device_ids=None)


@pytest.mark.parametrize('named', [{}, dict(type='MMDistributedDataParallel')])
def test_settings_of_the_stock_wrapper_go_to_ours(environment, named):
    """With the stock one, a model with SyncBN would end in an error of torch."""
    environment(PYTORCH)
    cfg = Config(
        dict(launcher='pytorch', model_wrapper_cfg=dict(named, static_graph=True))
    )
    with launched(cfg):
        assert cfg.model_wrapper_cfg == dict(
            type='CPUDistributedDataParallel', static_graph=True, device_ids=None
        )
        model = MODEL_WRAPPERS.build(
            cfg.model_wrapper_cfg, default_args=dict(module=ToyModel('SyncBN'))
        )
        with released(SimpleNamespace(model=model)):
            assert model(torch.ones(4, 1), mode='loss')['loss'].isfinite()


@pytest.mark.parametrize(
    ('launcher', 'variable'),
    [
        ('pytorch', 'RANK'),
        ('slurm', 'SLURM_PROCID'),
        ('mpi', 'OMPI_COMM_WORLD_RANK'),
    ],
)
def test_missing_launcher(launcher, variable, environment):
    with (
        pytest.raises(KeyError, match=rf'{variable}.*tools/dist_train\.sh'),
        launched(Config(dict(launcher=launcher))),
    ):
        pass


@pytest.mark.parametrize('main', [train_module.main, test_module.main])
def test_processes_of_torchrun_that_would_work_alone(main, environment, monkeypatch):
    environment(dict(PYTORCH, WORLD_SIZE='8'))
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    with pytest.raises(ValueError, match='8 processes.* add --launcher pytorch'):
        main(['config.py', 'checkpoint.pth'][: 2 if main is test_module.main else 1])


@pytest.mark.parametrize(
    ('launcher', 'ids', 'given', 'port'),
    [
        ('slurm', ('1234', '2'), None, '22342'),
        ('slurm', ('1235', '2'), None, '22352'),
        ('slurm', ('1234', '3'), '7', '7'),
        ('slurm', None, None, '29500'),
        ('mpi', ('1234', '2'), None, '29500'),
    ],
)
def test_jobs_of_slurm_share_no_port(
    launcher, ids, given, port, environment, monkeypatch
):
    environment(SLURM if launcher == 'slurm' else MPI)
    for name, value in zip(('SLURM_JOB_ID', 'SLURM_STEP_ID'), ids or (None, None)):
        monkeypatch.setenv(name, value or '')
        if value is None:
            monkeypatch.delenv(name)
    monkeypatch.setenv('MASTER_PORT', given or '')
    if given is None:
        monkeypatch.delenv('MASTER_PORT')
    monkeypatch.setattr(dist, 'init_process_group', lambda *_, **__: None)
    monkeypatch.setattr(dist, 'destroy_process_group', lambda: None)
    with launched(Config(dict(launcher=launcher))):
        assert os.environ['MASTER_PORT'] == port


def test_mpi_on_several_machines_needs_an_address(environment):
    environment(dict(MPI, OMPI_COMM_WORLD_SIZE='2'))
    with (
        pytest.raises(KeyError, match='MASTER_ADDR'),
        launched(Config(dict(launcher='mpi'))),
    ):
        pass


@pytest.mark.parametrize(
    ('launcher', 'variables', 'count', 'message'),
    [
        (
            'pytorch',
            dict(PYTORCH, LOCAL_RANK='2'),
            2,
            'process 3 of this machine has no GPU',
        ),
        # Slurm can show each process one GPU alone.
        ('slurm', dict(SLURM, SLURM_LOCALID='1'), 1, 'process 2 .* --gpu-bind=none'),
    ],
)
def test_more_processes_than_gpus(
    launcher, variables, count, message, environment, monkeypatch
):
    environment(variables)
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: count)
    with (
        pytest.raises(ValueError, match=message),
        launched(Config(dict(launcher=launcher))),
    ):
        pass


def test_a_process_group_that_exists_is_used(environment):
    environment(PYTORCH)
    os.environ['MASTER_ADDR'] = '127.0.0.1'
    dist.init_process_group('gloo')
    try:
        cfg = Config(dict(launcher='none'))
        with launched(cfg):
            assert cfg.launcher == 'pytorch'
            assert cfg.model_wrapper_cfg['type'] == 'CPUDistributedDataParallel'
            assert launch.launch_rank('none') == 0
        assert dist.is_initialized()
    finally:
        dist.destroy_process_group()


def test_the_group_on_gpus_is_made_as_the_runner_would(environment, monkeypatch):
    """Before the Runner, which finds it; deepspeed and others make their own."""
    environment(dict(PYTORCH, GROUP_WORLD_SIZE='1'))
    made = []
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(
        launch, 'init_dist', lambda *args, **kwargs: made.append((args, kwargs))
    )
    monkeypatch.setattr(
        launch, 'set_multi_processing', lambda **kwargs: made.append(kwargs)
    )
    monkeypatch.setattr(dist, 'destroy_process_group', lambda: made.append('ended'))
    env = dict(mp_cfg=dict(opencv_num_threads=0), dist_cfg=dict(backend='nccl'))
    with launched(Config(dict(launcher='pytorch', env_cfg=env))):
        assert made == [
            dict(opencv_num_threads=0, distributed=True),
            (('pytorch',), dict(backend='nccl')),
        ]
    assert made[2:] == ['ended']
    made.clear()
    with launched(Config(dict(launcher='pytorch', runner_type='FlexibleRunner'))):
        assert made == []
    assert made == []


def test_an_error_waits_for_no_other_process_on_gpus(environment, monkeypatch):
    environment(dict(PYTORCH, MASTER_ADDR='127.0.0.1'))
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(
        launch, 'init_dist', lambda *_, **__: dist.init_process_group('gloo')
    )
    cfg = Config(dict(launcher='pytorch'))
    with pytest.raises(ValueError, match='of the run'), launched(cfg):
        raise ValueError('of the run')
    assert dist.is_initialized()
    dist.destroy_process_group()
    with launched(cfg):
        assert dist.is_initialized()
    assert not dist.is_initialized()


def test_nodes_of_slurm_that_would_meet_on_themselves(environment):
    environment(dict(SLURM, SLURM_NNODES='2', MASTER_ADDR='127.0.0.1'))
    with (
        pytest.raises(ValueError, match="MASTER_ADDR='127.0.0.1' is every machine"),
        launched(Config(dict(launcher='slurm'))),
    ):
        pass
