"""Several processes for one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import distributed as dist

from mmmix.apis import launch
from mmmix.apis.launch import CPUDistributedDataParallel, launched
from tests.toy_run import ToyModel, write_config

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
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
    for name in (*SLURM, *MPI, *PYTORCH, 'MASTER_ADDR', 'SLURM_NNODES'):
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
        assert model(torch.ones(4, 1), mode='loss')['loss'].isfinite()
    assert not dist.is_initialized()
    assert cfg.model_wrapper_cfg == dict(
        type='CPUDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=True,
    )


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


def test_mpi_on_several_machines_needs_an_address(environment):
    environment(dict(MPI, OMPI_COMM_WORLD_SIZE='2'))
    with (
        pytest.raises(KeyError, match='MASTER_ADDR'),
        launched(Config(dict(launcher='mpi'))),
    ):
        pass


def test_more_processes_than_gpus(environment, monkeypatch):
    environment(dict(PYTORCH, LOCAL_RANK='2'))
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    with (
        pytest.raises(ValueError, match='process 3 of this machine has no GPU'),
        launched(Config(dict(launcher='pytorch'))),
    ):
        pass


def test_dist_train_on_two_cpu_processes(tmp_path):
    config = write_config(
        tmp_path,
        model=dict(type='ToyModel', norm='SyncBN'),
        train_cfg=dict(by_epoch=True, max_epochs=1),
    )
    command = [TOOLS / 'dist_train.sh', config, '2', '--work-dir', tmp_path / 'run']
    # PYTHON: the stack under test, which may not be that of .venv.
    settings = {
        'CUDA_VISIBLE_DEVICES': '-1',
        'OMP_NUM_THREADS': '1',
        'PYTHON': sys.executable,
    }
    done = subprocess.run(
        command,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = [json.loads((tmp_path / f'rank{i}.json').read_text()) for i in (0, 1)]
    for seen in ranks:
        assert seen['wrapper'] == 'CPUDistributedDataParallel'
        assert seen['norm'] == '_BatchNormXd'
        # Eight numbers, two processes, two numbers a batch.
        assert seen['iter'] == 2
    # The gradients were averaged over the processes.
    assert ranks[0]['weight'] == ranks[1]['weight']
    assert (tmp_path / 'run' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize(
    ('script', 'given'),
    [
        ('dist_train.sh', ['config']),
        ('dist_test.sh', ['config', 'checkpoint']),
        ('slurm_train.sh', ['partition', 'job', 'config']),
        ('slurm_test.sh', ['partition', 'job', 'config']),
    ],
)
def test_scripts_say_what_they_expect(script, given):
    done = subprocess.run(
        [TOOLS / script, *given], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f'tools/{script}' in done.stderr


@pytest.mark.parametrize(
    ('script', 'given', 'expected'),
    [
        (
            'dist_train.sh',
            ['c.py', '8', '--seed', '1'],
            '-m torch.distributed.run --standalone --nproc_per_node=8 '
            '{tools}/train.py --launcher pytorch c.py --seed 1',
        ),
        (
            'dist_test.sh',
            ['c.py', 'x y.pth', '8', '--cfg-options', 'a="b c"'],
            '-m torch.distributed.run --standalone --nproc_per_node=8 '
            '{tools}/test.py --launcher pytorch c.py x y.pth --cfg-options a="b c"',
        ),
        (
            'slurm_train.sh',
            ['part', 'job', 'c.py', 'out', '--seed', '1'],
            '-p part --job-name=job --gres=gpu:4 --ntasks=8 --ntasks-per-node=4 '
            '--cpus-per-task=5 --kill-on-bad-exit=1 --time=1 {python} -u '
            '{tools}/train.py --launcher slurm c.py --work-dir=out --seed 1',
        ),
        (
            'slurm_test.sh',
            ['part', 'job', 'c.py', 'x.pth', '--show-dir', 'd'],
            '-p part --job-name=job --gres=gpu:4 --ntasks=8 --ntasks-per-node=4 '
            '--cpus-per-task=5 --kill-on-bad-exit=1 --time=1 {python} -u '
            '{tools}/test.py --launcher slurm c.py x.pth --show-dir d',
        ),
    ],
)
def test_scripts_pass_arguments_on(script, given, expected, tmp_path):
    for name in ('python', 'srun'):
        echo = tmp_path / name
        echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        echo.chmod(0o755)
    python = str(tmp_path / 'python')
    environment = {
        'PATH': f'{tmp_path}:{os.environ["PATH"]}',
        'PYTHON': python,
        'GPUS_PER_NODE': '4',
        'SRUN_ARGS': '--time=1',
    }
    done = subprocess.run(
        [TOOLS / script, *given],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = expected.format(tools=TOOLS, python=python)
    assert ' '.join(done.stdout.splitlines()) == expected


def test_dist_train_over_several_machines(tmp_path):
    echo = tmp_path / 'python'
    echo.write_text('#!/bin/sh\necho "$@"\n')
    echo.chmod(0o755)
    machines = {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': 'node0'}
    done = subprocess.run(
        [TOOLS / 'dist_train.sh', 'c.py', '8'],
        env={'PATH': os.environ['PATH'], 'PYTHON': str(echo), **machines},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        '--nnodes=2 --node_rank=1 --master_addr=node0 --master_port=29500 '
        '--nproc_per_node=8' in done.stdout
    )
