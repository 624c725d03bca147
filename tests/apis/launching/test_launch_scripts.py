"""Scripts that start the processes of a run: their arguments and their end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.apis.launching.machines import wait_until
from tests.toy_run import write_config

TOOLS = Path(__file__).resolve().parents[3] / 'tools'


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
        [TOOLS / 'dist_train.sh', 'c.py', '2'],
        env={**os.environ, 'PYTHON': str(stub)},
        # tests that run in the background of a shell inherit that it is ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    wait_until((tmp_path / 'begun').exists, seconds=60)
    process.send_signal(number)
    assert process.wait(120) == code
    assert (tmp_path / 'ended').exists()


SAVING = """
import pathlib, signal, sys, time

def save(number, _):
    time.sleep(0.5)
    pathlib.Path('saved').write_text(str(number))
    sys.exit(128 + number)

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
    signal.signal(number, save)
pathlib.Path('begun').touch()
time.sleep(30)
"""
IMPATIENT = f"""
import signal, subprocess, sys, time

def end(*_):
    child.kill()
    sys.exit(1)

signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
for restart in range(2):
    child = subprocess.Popen([sys.executable, '-c', {SAVING!r}])
    child.wait()
    time.sleep(0.4)
"""


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_processes_have_the_time_to_save_and_are_not_started_again(number, tmp_path):
    """A stub of torchrun that kills its processes soon, and starts them anew."""
    stub = tmp_path / 'python'
    stub.write_text(f'#!{sys.executable}\n{IMPATIENT}')
    stub.chmod(0o755)
    process = subprocess.Popen(
        [TOOLS / 'dist_train.sh', 'c.py', '2'],
        cwd=tmp_path,
        env={**os.environ, 'PYTHON': str(stub)},
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    wait_until((tmp_path / 'begun').exists, seconds=60)
    (tmp_path / 'begun').unlink()
    process.send_signal(number)
    assert process.wait(120) == 128 + number
    assert (tmp_path / 'saved').read_text() == str(int(number))
    assert not (tmp_path / 'begun').exists()
