"""Jobs that come back, and the exit code of a stop."""

from __future__ import annotations

import os
import signal

import pytest

from mmmix.apis.launching.requeue import (
    exit_code_left,
    may_be_restarted,
    requeued,
    was_restarted,
)
from mmmix.engine.stop_signals import Stopped, stop_signals


@pytest.fixture(autouse=True)
def _no_job(monkeypatch):
    for name in ('SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT', 'MMMIX_STARTED'):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize('name', ['SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT'])
def test_the_scheduler_counts(tmp_path, monkeypatch, name):
    for value, expected in (('0', False), ('', False), ('1', True)):
        monkeypatch.setenv(name, value)
        assert was_restarted(str(tmp_path)) is expected


@pytest.mark.parametrize(
    ('variables', 'expected'),
    [
        ({}, False),
        ({'TORCHELASTIC_MAX_RESTARTS': '0', 'MMMIX_STARTED': '1000.5'}, False),
        ({'TORCHELASTIC_MAX_RESTARTS': '2'}, True),
        ({'TORCHELASTIC_MAX_RESTARTS': '2', 'TORCHELASTIC_RESTART_COUNT': '1'}, True),
        ({'TORCHELASTIC_MAX_RESTARTS': '2', 'TORCHELASTIC_RESTART_COUNT': '2'}, False),
        ({'TORCHELASTIC_MAX_RESTARTS': '0', 'SLURM_JOB_ID': '7'}, True),
    ],
)
def test_who_may_start_the_job_again(monkeypatch, variables, expected):
    monkeypatch.delenv('TORCHELASTIC_MAX_RESTARTS', raising=False)
    monkeypatch.delenv('SLURM_JOB_ID', raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert may_be_restarted() is expected


def test_a_checkpoint_of_this_job(tmp_path, monkeypatch):
    """Nothing counts a restart that is due to a machine which came back."""
    pointer = tmp_path / 'last_checkpoint'
    monkeypatch.setenv('MMMIX_STARTED', '1000.5')
    assert not was_restarted(str(tmp_path))
    pointer.touch()
    for time, expected in ((1000.4, False), (1000.6, True)):
        os.utime(pointer, (time, time))
        assert was_restarted(str(tmp_path)) is expected
    monkeypatch.delenv('MMMIX_STARTED')
    assert not was_restarted(str(tmp_path))


def test_the_exit_code_is_left_for_the_script(tmp_path, monkeypatch):
    file = tmp_path / 'code'
    monkeypatch.setenv('MMMIX_EXIT_CODE', str(file))
    with pytest.raises(Stopped), exit_code_left():
        raise Stopped(signal.SIGTERM)
    assert file.read_text() == '143'
    # The next start of the processes, which fails otherwise.
    with pytest.raises(KeyError), exit_code_left():
        raise KeyError
    assert file.read_text() == ''


def test_slurm_is_asked_though_the_launcher_ends_this_process(tmp_path, monkeypatch):
    """torchrun and srun send SIGTERM to the first process when another has ended."""
    asked, scontrol = tmp_path / 'asked', tmp_path / 'scontrol'
    scontrol.write_text(
        f'#!/bin/sh\nkill -TERM $PPID\nsleep 0.2\necho "$@" > {asked}\n'
    )
    scontrol.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    for name in ('RANK', 'SLURM_PROCID', 'SLURM_ARRAY_JOB_ID'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('SLURM_JOB_ID', '77')
    with pytest.raises(Stopped) as stop, stop_signals(), requeued():
        raise Stopped(signal.SIGUSR1)
    assert stop.value.signal is signal.SIGUSR1
    assert asked.read_text() == 'requeue 77\n'
