"""Runs in the folder of an earlier one, ended before they save a checkpoint."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import pytest
import torch

from mmmix.commands import train as train_module
from mmmix.engine.earlier_checkpoints import EARLIER, POINTER
from tests.toy_run import write_config

_COUNT = itertools.count()


@pytest.fixture
def run(tmp_path):
    """The folder of a finished run, with the checkpoints of both its epochs."""
    train(tmp_path / 'run', '--seed', '5')
    return tmp_path / 'run'


def train(run: Path, *args: str, **changes) -> str:
    """Train in a folder; the config, which has a name of its own each time."""
    config = write_config(run.parent, f'earlier{next(_COUNT)}.py', **changes)
    train_module.main([config, '--work-dir', str(run), *args])
    return config


def end_at_the_start(run: Path, patch: pytest.MonkeyPatch, *args: str) -> None:
    """A run that Ctrl-C ends while it looks at its data."""

    def stop(*_):
        raise KeyboardInterrupt

    patch.setattr(sys, 'argv', ['tools/train.py'])
    patch.setattr(sys.modules['__main__'], '__spec__', None)
    with patch.context() as patched:
        patched.setattr(train_module, 'check_data', stop)
        with pytest.raises(SystemExit):
            train(run, *args)


def weight(run: Path) -> float:
    saved = torch.load(run / 'epoch_2.pth', weights_only=False)
    return saved['state_dict']['linear.weight'].item()


def log(run: Path) -> str:
    """All that was logged: two runs of a second have one file."""
    return '\n'.join(path.read_text() for path in sorted(run.glob('*/*.log')))


def test_what_is_said_goes_on_with_no_earlier_run(run, monkeypatch):
    before = sorted(run.glob('*.pth'))
    end_at_the_start(run, monkeypatch, '--seed', '1')
    config = run.parent / f'earlier{next(_COUNT) - 1}.py'
    assert (
        log(run)
        .strip()
        .endswith(
            'no checkpoint was saved yet. To start again: python tools/train.py '
            f'{config} --work-dir {run} --seed 1'
        )
    )
    assert sorted(run.glob('*.pth')) == before
    with pytest.raises(ValueError, match=r'of a run before it.*epoch_2\.pth'):
        train(run, '--resume', '--seed', '1')


@pytest.mark.parametrize('resumed', [False, True])
@pytest.mark.parametrize('name', ['check_data', 'build_runner'])
def test_a_start_that_is_refused_changes_nothing(name, resumed, run, monkeypatch):
    """What was there goes on, also the first of two checkpoints that is named."""

    def state():
        names = (POINTER, EARLIER, 'epoch_1.pth', 'epoch_2.pth')
        there = [run / name for name in names if (run / name).exists()]
        return [(path, path.read_bytes(), path.stat().st_mtime_ns) for path in there]

    def refuse(*_):
        raise ValueError('a fault in the data')

    before = state()
    given = ['--resume', str(run / 'epoch_1.pth')] if resumed else []
    with monkeypatch.context() as patched:
        patched.setattr(train_module, name, refuse)
        with pytest.raises(ValueError, match='a fault in the data'):
            train(run, *given)
        assert state() == before
        # torchrun without MAX_RESTARTS starts nothing again.
        for variable, value in (('RUN_ID', 'none'), ('MAX_RESTARTS', '0')):
            patched.setenv(f'TORCHELASTIC_{variable}', value)
        patched.setenv('MMMIX_STARTED', str(time.time()))
        with pytest.raises(ValueError, match='a fault in the data'):
            train(run, *given)
        assert state() == before
        # What Slurm starts again is not to go on from another run's checkpoints.
        patched.setenv('SLURM_JOB_ID', '7')
        with pytest.raises(ValueError, match='a fault in the data'):
            train(run, *given)
        assert (state() == before) == (resumed and name == 'build_runner')


def test_after_a_start_that_is_refused_a_run_goes_on(run, monkeypatch):
    def refuse(*_):
        raise ValueError('a fault in the data')

    with monkeypatch.context() as patched:
        patched.setattr(train_module, 'check_data', refuse)
        with pytest.raises(ValueError, match='a fault in the data'):
            train(run)
    train(run, '--resume', train_cfg=dict(by_epoch=True, max_epochs=3))
    assert f'Load checkpoint from {run}/epoch_2.pth' in log(run)


def test_a_job_queued_again_begins_again(run, monkeypatch):
    end_at_the_start(run, monkeypatch, '--seed', '1')
    train(run.parent / 'apart', '--seed', '1')
    earlier = weight(run)
    monkeypatch.setenv('SLURM_RESTART_COUNT', '1')
    train(run, '--seed', '1')
    assert weight(run) == weight(run.parent / 'apart') != earlier
    train(run, train_cfg=dict(by_epoch=True, max_epochs=3))  # now on its own
    assert f'Load checkpoint from {run}/epoch_2.pth' in log(run)


@pytest.mark.parametrize('named', ['run', 'elsewhere'])
def test_a_job_queued_again_goes_on_from_the_given_checkpoint(named, run, monkeypatch):
    given = run.parent / named / 'epoch_1.pth'
    given.parent.mkdir(exist_ok=True)
    given.write_bytes((run / 'epoch_1.pth').read_bytes())
    end_at_the_start(run, monkeypatch, '--resume', str(given))
    monkeypatch.setenv('SLURM_RESTART_COUNT', '1')
    train(run, '--resume', str(given))
    assert f'Load checkpoint from {given}' in log(run)
    assert f'Load checkpoint from {run}/epoch_2.pth' not in log(run)
