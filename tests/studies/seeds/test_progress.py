"""What a study says of its progress."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mmmix.apis import reporting
from mmmix.studies.seeds import progress as study_progress
from mmmix.studies.seeds.progress import Progress, progress_line


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""
    now = SimpleNamespace(time=0.0)
    stopped = SimpleNamespace(monotonic=lambda: now.time, strftime=lambda _: 'now')
    for module in (study_progress, reporting):
        monkeypatch.setattr(module, 'time', stopped)
    return now


def test_the_time_left_of_two_runs_at_a_time(clock, capsys):
    runs = [SimpleNamespace(name=name) for name in 'abcde']
    done = dict(minutes=1.0, metrics={'mAP': 0.5})
    progress = Progress(
        SimpleNamespace(runs=runs, pending=runs[1:], checkpoint='last'), jobs=2
    )
    progress.began(runs[1])
    progress.began(runs[2])
    progress.beat([])
    clock.time = 60
    progress.ended(runs[1], done)
    progress.began(runs[3])
    clock.time = 90
    progress.beat([])
    clock.time = 100
    progress.ended(runs[2], done)
    progress.began(runs[4])
    clock.time = 180
    progress.ended(runs[3], {'error': 'exit code 1'})
    clock.time = 1000
    progress.beat([])
    assert capsys.readouterr().out.splitlines() == [
        'now 5 runs, 4 of them to do',
        'now [1/5] ETA: known after the first run',
        # 3 of 60 s, one of them over; 3 with 60 and 30 s behind them; mean 80 s, 40
        # behind one of two; mean 93 s, 80 behind the last one; overdue.
        'now [2/5] b: 1.0 min, mAP 0.500. ETA: 0:01:00',
        'now [2/5] ETA: 0:00:45',
        'now [3/5] c: 1.0 min, mAP 0.500. ETA: 0:01:00',
        'now [4/5] d: FAILED: exit code 1. ETA: 0:00:13',
        'now [4/5] ETA: 0:00:00',
    ]


@pytest.mark.parametrize(('checkpoint', 'score'), [('last', '0.500'), ('best', '0.6')])
def test_the_scores_are_those_of_the_checkpoint_that_was_tested(
    checkpoint, score, capsys
):
    run = SimpleNamespace(name='a')
    study = SimpleNamespace(runs=[run], pending=[run], checkpoint=checkpoint)
    record = dict(minutes=1.0, metrics={'mAP': 0.5}, metrics_best={'mAP': 0.6})
    progress = Progress(study, jobs=1)
    progress.began(run)
    progress.ended(run, record)
    assert f'a: 1.0 min, mAP {score}' in capsys.readouterr().out


def test_progress_is_the_last_line_with_a_time_left(tmp_path):
    log = tmp_path / 'train.log'
    log.write_text('\n \nstart\n')
    assert progress_line(log) == 'start'
    log.write_text('Epoch [1] eta: 9\rEpoch [2] eta: 8\n----\n\n')
    assert progress_line(log) == 'Epoch [2] eta: 8'
