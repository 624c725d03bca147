"""The script for Slurm: what it asks for, and what it starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy_run import write_config

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / 'tools/cluster/train.sbatch'

# Options of sbatch that the script may use, and what their values look like.
OPTIONS = {
    'job-name': r'\w+',
    'nodes': r'\d+',
    'ntasks-per-node': '1',
    'gpus-per-node': r'\d+',
    'cpus-per-task': r'\d+',
    'time': r'\d\d:\d\d:\d\d',
    'signal': r'USR1@\d+',
    'requeue': '',
    'open-mode': 'append',
    'output': r'%x-%j\.log',
}


def test_what_it_asks_for():
    lines = re.findall(r'^#SBATCH --([\w-]+)=?(.*)$', SCRIPT.read_text(), re.MULTILINE)
    assert {name for name, _ in lines} == set(OPTIONS)
    for name, value in lines:
        assert re.fullmatch(OPTIONS[name], value), name
    # Options behind the first command are comments.
    first = re.search(r'^[^#\n]', SCRIPT.read_text(), re.MULTILINE).start()
    assert SCRIPT.read_text().rindex('#SBATCH') < first


@pytest.fixture
def submit(tmp_path):
    """Run the script as sbatch does, from its spool, with a stand-in of srun."""
    spool = tmp_path / 'spool'
    spool.mkdir()
    shutil.copy(SCRIPT, spool / 'slurm_script')

    def run(srun, *args, folder=ROOT, **variables):
        (spool / 'srun').write_text(f'#!/bin/sh\n{srun}\n')
        (spool / 'srun').chmod(0o755)
        return subprocess.run(
            [spool / 'slurm_script', *args],
            env={
                **os.environ,
                'PATH': f'{spool}:{os.environ["PATH"]}',
                'PYTHON': sys.executable,
                'SLURM_SUBMIT_DIR': str(folder),
                **variables,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_command_of_each_node(submit):
    done = submit('echo "$@"', 'c.py', '--seed', '1', SLURM_GPUS_ON_NODE='4')
    assert done.stdout.strip() == (
        '--kill-on-bad-exit=0 tools/dist_train.sh c.py 4 --resume --seed 1'
    )


def test_it_says_what_it_expects(submit, tmp_path):
    for args, folder in ((), ROOT), (('c.py',), tmp_path):
        done = submit('echo started', *args, folder=folder)
        assert done.returncode == 2
        assert 'sbatch tools/cluster/train.sbatch CONFIG' in done.stderr
        assert done.stdout == ''


@pytest.mark.slow
def test_a_job_of_one_node_with_two_processes(submit, tmp_path):
    """With everything but Slurm itself; the second job goes on where the first was."""
    config = write_config(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=1))
    step = (
        'shift; export SLURM_STEP_NUM_NODES=1 SLURM_NODEID=0 SLURM_JOB_NODELIST=n7\n'
        'exec "$@"'
    )
    variables = dict(
        SLURM_GPUS_ON_NODE='2', CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1'
    )
    arguments = (config, '--work-dir', str(tmp_path / 'work'))
    done = submit(step, *arguments, **variables)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'nodes by Slurm (SLURM_STEP_NUM_NODES): NNODES=1' in done.stderr
    assert 'training starts from scratch' in done.stdout + done.stderr
    assert (tmp_path / 'rank1.json').is_file()
    done = submit(step, *arguments, **variables)
    assert done.returncode == 0
    assert 'resumed epoch: 1' in done.stdout + done.stderr
