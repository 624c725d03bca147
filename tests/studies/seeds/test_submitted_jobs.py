"""Runs of a study as jobs: in this process, and of a stand-in of Slurm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
)
from mmmix.studies.seeds.job import CommandJob
from mmmix.studies.seeds.runs import Commands
from mmmix.studies.seeds.study import Study
from mmmix.studies.seeds.submitted_jobs import SubmittedJobs, slurm_executor
from tests.studies.seeds.stand_ins import TEST, TRAIN, calls, run_pending, wait_for

submitit = pytest.importorskip('submitit')

SBATCH = """#!{python}
import json, os, subprocess, sys
from pathlib import Path
here = Path(__file__).parent
(here / 'submitted.sh').write_text(Path(sys.argv[1]).read_text())
number = 41 + len(list(here.glob('job_*')))
(here / f'job_{{number}}').write_text('RUNNING')
print(f'Submitted batch job {{number}}')
names = dict(JOB_ID=number, NTASKS=1, NNODES=1, NODEID=0, PROCID=0, LOCALID=0)
env = os.environ | {{f'SLURM_{{key}}': str(value) for key, value in names.items()}}
script = f'sh {{sys.argv[1]}}; echo COMPLETED > {{here}}/job_{{number}}'
process = subprocess.Popen(
    ['sh', '-c', script], env=env, start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
)
(here / f'pid_{{number}}').write_text(str(process.pid))
"""
SRUN = """#!/bin/sh
shift 5  # --unbuffered --output FILE --error FILE
exec "$@"
"""
SACCT = """#!/bin/sh
echo 'JobID|State|NodeList'
for file in {folder}/job_*; do echo "${{file##*_}}|$(cat $file)|n1"; done
"""
SCANCEL = """#!/bin/sh
echo "$@" >> {folder}/cancelled
echo CANCELLED > {folder}/job_$1
kill -TERM -$(cat {folder}/pid_$1)
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Stand-ins of Slurm's commands; returns an executor, as the command makes it."""
    folder = tmp_path / 'slurm'
    folder.mkdir()
    for name, text in (
        ('sbatch', SBATCH.format(python=sys.executable)),
        ('srun', SRUN),
        ('sacct', SACCT.format(folder=folder)),
        ('scancel', SCANCEL.format(folder=folder)),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
    for name in [name for name in os.environ if name.startswith('SLURM_')]:
        monkeypatch.delenv(name)
    options = dict(slurm_partition='gpu', timeout_min=30, gpus_per_node=2)
    executor = slurm_executor(tmp_path / 'jobs', options)
    # Numbers of jobs are unique in Slurm, not here: others are forgotten.
    # Nor does submitit leave a minute between two questions.
    watcher = getattr(executor, '_executor', executor).job_class.watcher
    watcher.clear()
    monkeypatch.setattr(watcher, '_delay_s', 0)
    return executor


def make_study(tmp_path, children, model='good', seeds=(0,)):
    tools = tmp_path / 'tools'
    tools.mkdir(exist_ok=True)
    (tools / 'train.py').write_text(TRAIN)
    (tools / 'test.py').write_text(TEST)
    config = tmp_path / 'a.py'
    config.write_text(f"model = '{model}'\n")
    return Study([str(config)], seeds, tmp_path / 'work', Commands(tools), children)


@pytest.mark.slow
def test_a_study_goes_on_from_this_machine_to_slurm_and_back(tmp_path, slurm):
    local = make_study(tmp_path, ChildProcesses())
    first = run_pending(local)[0]
    there = make_study(tmp_path, SubmittedJobs(slurm, 2, poll=0.05), seeds=(0, 1))
    assert [run.name for run in there.pending] == ['a/seed_1']
    (second,) = run_pending(there)
    assert second['state'] == 'done'
    assert second['metrics'] == {'coco/AP': pytest.approx(1.1)}
    assert second.keys() == first.keys()
    assert second['fingerprint'] == first['fingerprint']
    assert calls(tmp_path / 'tools')[2:] == ['train a 1', 'test a 1']
    assert not list((tmp_path / 'work').rglob('*.job'))
    script = (tmp_path / 'slurm/submitted.sh').read_text()
    for line in ('--partition=gpu', '--time=30', '--gpus-per-node=2', '--nodes=1'):
        assert f'#SBATCH {line}\n' in script
    back = make_study(tmp_path, ChildProcesses(), seeds=(0, 1, 2))
    assert [run.name for run in back.pending] == ['a/seed_2']


def test_a_job_that_slurm_does_not_take_fails_its_run_alone(tmp_path, slurm):
    text = '#!/bin/sh\necho "sbatch: error: Socket timed out" >&2\nexit 1\n'
    (tmp_path / 'slurm/sbatch').write_text(text)
    study = make_study(tmp_path, SubmittedJobs(slurm, poll=0.05), seeds=(0, 1))
    errors = [record['error'] for record in run_pending(study)]
    assert errors == ['no job was sent: sbatch: error: Socket timed out'] * 2


@pytest.mark.slow
def test_a_failed_job_says_why(tmp_path, slurm):
    study = make_study(tmp_path, SubmittedJobs(slurm, poll=0.05), 'fail_once')
    (record,) = run_pending(study)
    log = tmp_path / 'work/a/seed_0/train.log'
    assert record['error'] == (
        f'CUDA is on fire (job 41 exit code 1), end of {log}:\n'
        'first line\nCUDA is on fire'
    )
    (record,) = run_pending(
        make_study(tmp_path, SubmittedJobs(slurm, poll=0.05), 'fail_once')
    )
    assert record['state'] == 'done'


@pytest.mark.slow
def test_a_job_that_slurm_ended(tmp_path, slurm):
    """The node is gone: no result, and the log ends somewhere."""
    jobs = SubmittedJobs(slurm, poll=0.05)
    code = 'import os, signal, time; print("begun", flush=True); time.sleep(60)'
    log = tmp_path / 'x/train.log'
    errors = []

    def call():
        with pytest.raises(ChildFailed) as caught:
            jobs.call([sys.executable, '-c', code], log)
        errors.append(str(caught.value))

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: log.is_file() and 'begun' in log.read_text(), 180)
    (tmp_path / 'slurm/job_41').write_text('NODE_FAIL')
    pid = int((tmp_path / 'slurm/pid_41').read_text())
    os.killpg(pid, signal.SIGKILL)
    thread.join(180)
    assert errors[0].startswith('begun (job 41 NODE_FAIL), end of ')


def test_a_stop_cancels_the_jobs(tmp_path, slurm):
    jobs = SubmittedJobs(slurm, poll=0.05)
    study = make_study(tmp_path, jobs, 'hang')
    records = []
    thread = threading.Thread(target=lambda: records.extend(run_pending(study)))
    thread.start()
    pointer = tmp_path / 'work/a/seed_0/last_checkpoint'
    wait_for(pointer.exists, 180)
    jobs.stop()
    thread.join(180)
    assert records[0]['error'] is None
    assert records[0]['state'] == 'started'
    assert (tmp_path / 'slurm/cancelled').read_text().strip() == '41'
    with pytest.raises(ChildStopped):
        jobs.call(['true'], tmp_path / 'x.log')


@pytest.mark.slow
def test_a_job_that_was_left_in_the_queue_is_waited_for(tmp_path, slurm):
    """The study was killed, the job was not: it is not sent a second time."""
    log = tmp_path / 'run/train.log'
    code = 'import time; print("begun", flush=True); time.sleep(1)'
    job = slurm.submit(CommandJob([sys.executable, '-c', code], log, {}))
    wait_for(lambda: log.is_file() and 'begun' in log.read_text(), 180)
    (tmp_path / 'run/train.job').write_text(job.job_id)
    jobs = SubmittedJobs(slurm, poll=0.05)
    jobs.call([sys.executable, '-c', 'print("a second one")'], log)
    assert log.read_text() == 'begun\n'
    jobs.call([sys.executable, '-c', 'print("a second one")'], log)
    assert log.read_text() == 'begun\na second one\n'


def test_the_debug_executor_of_submitit(tmp_path):
    """Jobs in this very process."""
    jobs = SubmittedJobs(submitit.DebugExecutor(tmp_path / 'jobs'), 3, poll=0.05)
    code = 'import os; print(os.environ["OMP_NUM_THREADS"])'
    jobs.call([sys.executable, '-c', code], tmp_path / 'a.log')
    assert (tmp_path / 'a.log').read_text() == '3\n'
    code = 'raise ArithmeticError("no")'
    with pytest.raises(ChildFailed, match=r'^ArithmeticError: no \(job DEBUG_\d+ exit'):
        jobs.call([sys.executable, '-c', code], tmp_path / 'b.log')


def test_a_job_whose_time_is_over_ends_its_command_and_is_sent_again(tmp_path):
    """What submitit does at its signal: the command saves, the same job comes back."""
    log = tmp_path / 'a.log'
    code = (
        'import signal, sys, time\n'
        'signal.signal(signal.SIGTERM, lambda *_: sys.exit("saved"))\n'
        'print("begun", flush=True)\n'
        'time.sleep(60)'
    )
    job = CommandJob([sys.executable, '-c', code], log, {})
    codes = []
    thread = threading.Thread(target=lambda: codes.append(job()))
    thread.start()
    wait_for(lambda: log.is_file() and 'begun' in log.read_text(), 180)
    again = job.checkpoint()
    thread.join(180)
    assert codes == [1]
    assert log.read_text() == 'begun\nsaved\n'
    assert again.function is job
    again.dump(tmp_path / 'again.pkl')  # as submitit keeps it for the next time


def test_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(ValueError, match='--executor slurm: .*srun'):
        slurm_executor(tmp_path, {})


def test_an_unknown_option(slurm, tmp_path):
    with pytest.raises(ValueError, match='slurm_partitoin'):
        slurm_executor(tmp_path, {'slurm_partitoin': 'gpu'})


@pytest.mark.slow
def test_submitit_is_optional():
    """The command and local studies do without it."""
    code = (
        'import sys; sys.modules["submitit"] = None\n'
        'import mmmix.commands.study\n'
        'from mmmix.studies.seeds.submitted_jobs import slurm_executor\n'
        'from pathlib import Path\n'
        'try: slurm_executor(Path("x"), {})\n'
        'except ImportError as error: print(error)'
    )
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'mmmix[slurm]'" in done.stdout
