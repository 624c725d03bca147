"""Several processes for one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import distributed as dist

from mmmix.apis import launch
from mmmix.apis.launch import CPUDistributedDataParallel, launched
from mmmix.commands import train as train_module
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
            '-m torch.distributed.run --standalone --max-restarts=0 --nproc_per_node=8 '
            '{tools}/train.py --launcher pytorch c.py --seed 1',
        ),
        (
            'dist_test.sh',
            ['c.py', 'x y.pth', '8', '--cfg-options', 'a="b c"'],
            '-m torch.distributed.run --standalone --max-restarts=0 --nproc_per_node=8 '
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


@pytest.fixture
def script(tmp_path):
    """Run a launch script with a stub of Python that prints its arguments."""
    stubs = {'python': 'echo "$@"', 'scontrol': 'printf "n7\\nn8\\n"'}
    for name, body in stubs.items():
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\n{body}\n')
        stub.chmod(0o755)
    system = {
        'PATH': f'{tmp_path}:{os.environ["PATH"]}',
        'PYTHON': str(tmp_path / 'python'),
    }

    def run(variables, *command):
        return subprocess.run(
            [TOOLS / command[0], *command[1:]],
            env={**system, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


MANY = {
    'by hand': (
        {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': 'node0'},
        ('2', 'node0:29500', 'mmmix', '0'),
    ),
    'first': (
        {'NNODES': '2', 'NODE_RANK': '0', 'MASTER_ADDR': 'node0', 'PORT': '7'},
        ('2', 'node0:7', 'mmmix', '1'),
    ),
    'PyTorchJob (PET_NNODES)': (
        {
            'PET_NNODES': '3',
            'PET_NODE_RANK': '2',
            'PET_MASTER_ADDR': 'job-master-0',
            'PET_MASTER_PORT': '23456',
            'WORLD_SIZE': '9',
            'RANK': '9',
        },
        ('3', 'job-master-0:23456', 'mmmix', '0'),
    ),
    'PyTorchJob (WORLD_SIZE, RANK)': (
        {
            'WORLD_SIZE': '2',
            'RANK': '0',
            'MASTER_ADDR': 'job-master-0',
            'MASTER_PORT': '23456',
            'SKYPILOT_NUM_NODES': '5',
        },
        ('2', 'job-master-0:23456', 'mmmix', '1'),
    ),
    'SkyPilot (SKYPILOT_NUM_NODES)': (
        {
            'SKYPILOT_NUM_NODES': '2',
            'SKYPILOT_NODE_RANK': '1',
            'SKYPILOT_NODE_IPS': '10.0.0.4\n10.0.0.5',
            'SLURM_STEP_NUM_NODES': '5',
        },
        ('2', '10.0.0.4:29500', 'mmmix', '0'),
    ),
    'Slurm (SLURM_STEP_NUM_NODES)': (
        {
            'SLURM_STEP_NUM_NODES': '2',
            'SLURM_NODEID': '0',
            'SLURM_JOB_NODELIST': 'n[7-8]',
            'SLURM_JOB_ID': '41',
            'OMPI_COMM_WORLD_SIZE': '5',
        },
        ('2', 'n7:29500', '41', '1'),
    ),
    'MPI (OMPI_COMM_WORLD_SIZE)': (
        {
            'OMPI_COMM_WORLD_SIZE': '2',
            'OMPI_COMM_WORLD_RANK': '1',
            'MASTER_ADDR': 'a',
        },
        ('2', 'a:29500', 'mmmix', '0'),
    ),
}


@pytest.mark.parametrize('name', MANY)
def test_several_machines(name, script):
    """The first of those that are set counts, and is named."""
    variables, (nodes, endpoint, job, host) = MANY[name]
    done = script({**variables, 'MAX_RESTARTS': '4'}, 'dist_train.sh', 'c.py', '8')
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        f'-m torch.distributed.run --nnodes={nodes} --rdzv-backend=c10d '
        f'--rdzv-endpoint={endpoint} --rdzv-id={job} --rdzv-conf=is_host={host} '
        f'--max-restarts=4 --nproc_per_node=8 {TOOLS}/train.py --launcher pytorch c.py'
    )
    if 'NNODES' not in variables:
        assert f'nodes by {name}: NNODES={nodes}' in done.stderr


@pytest.mark.parametrize('address', ['', 'localhost', '127.0.0.1', '::1'])
def test_a_first_machine_that_each_takes_for_itself_is_refused(address, script):
    variables = {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': address}
    done = script(variables, 'dist_train.sh', 'c.py', '8')
    assert done.returncode == 2
    assert 'NNODES=2 needs MASTER_ADDR' in done.stderr
    assert f"got '{address}'" in done.stderr
    assert done.stdout == ''


def test_one_machine_with_a_port(script):
    done = script({'PORT': '7'}, 'dist_test.sh', 'c.py', 'x.pth', '2')
    assert '--master_addr=127.0.0.1 --master_port=7 ' in done.stdout
    one = {'WORLD_SIZE': '1', 'RANK': '0', 'MASTER_ADDR': 'localhost'}
    done = script(one, 'dist_test.sh', 'c.py', 'x.pth', '2')
    assert '--standalone' in done.stdout


@pytest.mark.parametrize(
    ('number', 'code'),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138)],
)
def test_the_script_ends_as_a_run_would(number, code, tmp_path):
    """A stub of torchrun with one process, which ends 0.1 s after a signal."""
    stub = tmp_path / 'python'
    stub.write_text(
        f'#!{sys.executable}\n'
        'import os, signal, subprocess, sys, time\n'
        'code = "import signal, sys, time\\n"\n'
        'code += "end = lambda *_: (time.sleep(0.1), sys.exit(1))\\n"\n'
        'code += "signal.signal(signal.SIGUSR1, end); time.sleep(30)"\n'
        'child = subprocess.Popen([sys.executable, "-c", code])\n'
        'def end(*_):\n'
        '    child.kill()\n'
        '    time.sleep(0.1)\n'
        f'    open("{tmp_path}/ended", "w").close()\n'
        '    sys.exit(1)\n'
        'signal.signal(signal.SIGTERM, end)\n'
        'signal.signal(signal.SIGINT, end)\n'
        'time.sleep(0.3)\n'
        f'open("{tmp_path}/begun", "w").close()\n'
        'child.wait(); end()\n'
    )
    stub.chmod(0o755)
    process = subprocess.Popen(
        [TOOLS / 'dist_train.sh', 'c.py', '2'], env={**os.environ, 'PYTHON': str(stub)}
    )
    while not (tmp_path / 'begun').exists():
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(30) == code
    assert (tmp_path / 'ended').exists()


def test_the_command_that_was_given(script, tmp_path, monkeypatch):
    (tmp_path / 'python').write_text('#!/bin/sh\nprintenv MMMIX_COMMAND\n')
    given = ['dist_train.sh', 'a b.py', '8', '--resume', '--seed', '1']
    said = script({}, *given).stdout.strip()
    monkeypatch.setenv('MMMIX_COMMAND', said)
    assert launch.given_command() == [f'{TOOLS}/dist_train.sh', *given[1:]]
    argv = ['a b.py', '--resume', '--seed', '1', '--launcher', 'pytorch']
    args = train_module.parse_args(argv)
    assert train_module.resume_command(args, argv) == (
        f"{TOOLS}/dist_train.sh 'a b.py' 8 --seed 1 --resume"
    )


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
