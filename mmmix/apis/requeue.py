"""Jobs that are queued again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmmix.engine.stop_signals import Stopped

_RESTARTS = ('SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT')


def was_restarted() -> bool:
    """Whether this process belongs to a job that Slurm or torchrun started anew."""
    return any(os.environ.get(name, '0') not in ('', '0') for name in _RESTARTS)


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
        if stop.signal is signal.SIGUSR1 and rank == '0':
            _requeue()
        raise


def _requeue() -> None:
    """Ask Slurm; what it says is told, and the process ends as it would anyway."""
    job = os.environ.get('SLURM_JOB_ID')
    if 'SLURM_ARRAY_JOB_ID' in os.environ:
        job = '{SLURM_ARRAY_JOB_ID}_{SLURM_ARRAY_TASK_ID}'.format(**os.environ)
    if job is None:
        return
    try:
        subprocess.run(['scontrol', 'requeue', job], check=True)
        text = f'Slurm queues job {job} again; it goes on from the last checkpoint.'
    except (OSError, subprocess.CalledProcessError) as error:
        text = f'Slurm did not queue job {job} again: {error}'
    sys.stderr.write(f'{text}\n')
