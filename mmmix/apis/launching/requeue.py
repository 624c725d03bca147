"""Jobs that are queued again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmmix.engine.earlier_checkpoints import POINTER
from mmmix.engine.stop_signals import QUEUE_AGAIN, Stopped, no_signals

_RESTARTS = ('SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT')


def was_restarted(work_dir: str) -> bool:
    """Whether this process belongs to a job that Slurm or torchrun started anew.

    torchrun does not count a new start that is due to a machine which came back. Then
    the run's last checkpoint is of this very job: ``tools/dist_*.sh`` say in
    ``MMMIX_STARTED`` since when it has been running.

    Args:
        work_dir: Folder of the run.
    """
    if any(os.environ.get(name, '0') not in ('', '0') for name in _RESTARTS):
        return True
    since = os.environ.get('MMMIX_STARTED', '')
    pointer = os.path.join(work_dir, POINTER)
    if not since or not os.path.exists(pointer):
        return False
    return os.path.getmtime(pointer) > float(since)


def may_be_restarted() -> bool:
    """Whether Slurm or torchrun may start this job anew, and count that.

    torchrun says how often; a start that it does not count looks at the time of the
    last checkpoint.
    """
    done, most = (
        int(os.environ.get(f'TORCHELASTIC_{name}') or 0)
        for name in ('RESTART_COUNT', 'MAX_RESTARTS')
    )
    return 'SLURM_JOB_ID' in os.environ or done < most


@contextmanager
def exit_code_left() -> Iterator[None]:
    """Leave the exit code of a stop where ``tools/dist_*.sh`` find it.

    torchrun ends with 1, whatever its processes end with. A machine to which no signal
    came, but whose processes stopped with those of another one, would look broken.
    """
    path = os.environ.get('MMMIX_EXIT_CODE')
    if not path:
        yield
        return
    _write(path, '')
    try:
        yield
    except Stopped as stop:
        _write(path, str(stop.code))
        raise


def _write(path: str, text: str) -> None:
    """Write a small file; where that fails, the exit code is torchrun's."""
    with suppress(OSError):
        Path(path).write_text(text)


@contextmanager
def requeued() -> Iterator[None]:
    """Have Slurm queue this job again if SIGUSR1 ends the block.

    ``sbatch --signal=USR1@120`` sends it two minutes before the time is over. The
    first process of the job asks; outside Slurm nobody does.
    """
    try:
        yield
    except Stopped as stop:
        rank = os.environ.get('RANK') or os.environ.get('SLURM_PROCID') or '0'
        if stop.signal == QUEUE_AGAIN and rank == '0':
            _requeue()
        raise


def _requeue() -> None:
    """Ask Slurm; what it says is told, and the process ends as it would anyway.

    torchrun and srun send it SIGTERM meanwhile, when another process has ended.
    """
    job = os.environ.get('SLURM_JOB_ID')
    if 'SLURM_ARRAY_JOB_ID' in os.environ:
        job = '{SLURM_ARRAY_JOB_ID}_{SLURM_ARRAY_TASK_ID}'.format(**os.environ)
    if job is None:
        return
    try:
        with no_signals():
            subprocess.run(['scontrol', 'requeue', job], check=True)
        text = f'Slurm queues job {job} again; it goes on from the last checkpoint.'
    except (OSError, subprocess.CalledProcessError) as error:
        text = f'Slurm did not queue job {job} again: {error}'
    sys.stderr.write(f'{text}\n')
