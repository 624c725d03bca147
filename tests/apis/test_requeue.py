"""Jobs that come back, and the exit code of a stop."""

from __future__ import annotations

import os
import signal

import pytest

from mmmix.apis.requeue import exit_code_left, was_restarted
from mmmix.engine.stop_signals import Stopped


@pytest.fixture(autouse=True)
def _no_job(monkeypatch):
    for name in ('SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT', 'MMMIX_STARTED'):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize('name', ['SLURM_RESTART_COUNT', 'TORCHELASTIC_RESTART_COUNT'])
def test_the_scheduler_counts(tmp_path, monkeypatch, name):
    for value, expected in (('0', False), ('', False), ('1', True)):
        monkeypatch.setenv(name, value)
        assert was_restarted(str(tmp_path)) is expected


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
