"""Environment variables that the launch scripts read and leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmmix.apis.launching import launch
from mmmix.commands import train as train_module

TOOLS = Path(__file__).resolve().parents[3] / 'tools'


@pytest.fixture
def script(tmp_path):
    """Run a launch script with a stub of Python that prints its arguments."""
    # What the script itself asks of Python is answered by Python.
    python = f'[ "$1" != -c ] || exec {sys.executable} "$@"\necho "$@"'
    stubs = {'python': python, 'scontrol': 'printf "n7\\nn8\\n"'}
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
            'SKYPILOT_NODE_IPS': 'ip4\nip5',
            'SLURM_STEP_NUM_NODES': '5',
        },
        ('2', 'ip4:29500', 'mmmix', '0'),
    ),
    'Slurm (SLURM_STEP_NUM_NODES)': (
        {
            'SLURM_STEP_NUM_NODES': '2',
            'SLURM_NODEID': '0',
            'SLURM_JOB_NODELIST': 'n[7-8]',
            'SLURM_JOB_ID': '41',
            'OMPI_COMM_WORLD_SIZE': '5',
        },
        ('2', 'n7:20410', '41', '1'),
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
    # The first one is known by that name; these names lead nowhere from the others.
    own = f' --local-addr={endpoint.partition(":")[0]}' if host == '1' else ''
    done = script({**variables, 'MAX_RESTARTS': '4'}, 'dist_train.sh', 'c.py', '8')
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        f'-m torch.distributed.run --nnodes={nodes} --rdzv-backend=c10d '
        f'--rdzv-endpoint={endpoint} --rdzv-id={job} --rdzv-conf=is_host={host}{own} '
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


SLURM_TASK = MANY['Slurm (SLURM_STEP_NUM_NODES)'][0] | {'SLURM_LOCALID': '3'}
MPI_PROCESS = MANY['MPI (OMPI_COMM_WORLD_SIZE)'][0] | {
    'OMPI_COMM_WORLD_LOCAL_SIZE': '4'
}


@pytest.mark.parametrize('variables', [SLURM_TASK, MPI_PROCESS])
def test_a_script_that_a_node_starts_several_times_is_refused(variables, script):
    done = script(variables, 'dist_train.sh', 'c.py', '8')
    assert done.returncode == 2
    assert 'is started at least 4 times on this node' in done.stderr
    assert done.stdout == ''


def test_nodes_of_slurm_that_would_stand_idle_are_told(script):
    done = script({'SLURM_JOB_NUM_NODES': '2'}, 'dist_train.sh', 'c.py', '8')
    assert 'only this node of the 2 nodes of the job' in done.stderr
    assert '--standalone' in done.stdout
    done = script({'SLURM_JOB_NUM_NODES': '1'}, 'dist_train.sh', 'c.py', '8')
    assert done.stderr == ''


def test_one_machine_with_a_port(script):
    done = script({'PORT': '7'}, 'dist_test.sh', 'c.py', 'x.pth', '2')
    assert '--master_addr=127.0.0.1 --master_port=7 ' in done.stdout
    one = {'WORLD_SIZE': '1', 'RANK': '0', 'MASTER_ADDR': 'localhost'}
    done = script(one, 'dist_test.sh', 'c.py', 'x.pth', '2')
    assert '--standalone' in done.stdout


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


def test_the_command_names_the_machine_where_that_was_given(script, tmp_path):
    (tmp_path / 'python').write_text('#!/bin/sh\nprintenv MMMIX_COMMAND\n')
    by_hand = {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': 'n7', 'PORT': '9'}
    by_hand['LOCAL_ADDR'] = 'n8'
    said = script(by_hand, 'dist_train.sh', 'c.py', '8').stdout.strip()
    assert said == (
        f'NNODES=2 NODE_RANK=1 MASTER_ADDR=n7 PORT=9 {TOOLS}/dist_train.sh c.py 8'
    )
    found = {'WORLD_SIZE': '2', 'RANK': '0', 'MASTER_ADDR': 'n7'}
    said = script(found, 'dist_train.sh', 'c.py', '8').stdout.strip()
    assert said == f'{TOOLS}/dist_train.sh c.py 8'


@pytest.mark.slow
def test_the_command_of_torchrun(monkeypatch):
    """Without a script, the one that started the agent of this process."""
    monkeypatch.delenv('MMMIX_COMMAND', raising=False)
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    assert launch.given_command() == []
    show = (
        'import subprocess, sys; '
        'from mmmix.apis.launching.launch import given_command as given; '
        'print(given())'
    )
    code = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {show!r}])'
    argv = [sys.executable, '-c', code, '--nnodes=2', 'train.py', 'a b.py']
    done = subprocess.run(
        argv,
        env={**os.environ, 'TORCHELASTIC_RUN_ID': 'x'},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == repr(argv)
