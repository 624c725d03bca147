"""A setting that is chosen on val."""

from __future__ import annotations

import json
import math
import sys
import threading

import pytest
import torch

from mmmix.studies.seeds.child_processes import ChildProcesses, ChildStopped
from mmmix.studies.seeds.logged_metrics import validations
from mmmix.studies.seeds.runs import Commands
from tests.studies.seeds.stand_ins import calls, wait_for

pytest.importorskip('optuna')

from mmmix.studies.seeds import child_processes
from mmmix.studies.seeds.search import (
    Search,
    Span,
    parse_span,
)
from mmmix.studies.seeds.val_and_test import check_val_is_not_test
from mmmix.version import __version__

# Three validations; the best value is 1, and what is below 0.1 hangs after the first.
TRAIN = """
import json, math, pathlib, sys, time
words = sys.argv[1:]
folder = pathlib.Path(words[words.index('--work-dir') + 1])
(value,) = (float(w.partition('=')[2]) for w in words if w.startswith('some.alpha='))
with open(pathlib.Path(__file__).parent / 'calls.txt', 'a') as file:
    print(f'{value:g}' + ' resume' * ('--resume' in words), file=file)
if value > 5:
    sys.exit('ValueError: too much')
scalars = folder / '20260101_000000/vis_data/scalars.json'
scalars.parent.mkdir(parents=True, exist_ok=True)
with scalars.open('a') as file:
    for step in (1, 2, 3):
        print(json.dumps({'loss': 1.0, 'step': step}), file=file)
        score = step / 10 - abs(math.log(value))
        print(json.dumps({'coco/AP': score, 'step': step}), file=file, flush=True)
        if value < 0.1:
            time.sleep(60)
"""


@pytest.fixture
def search(tmp_path, monkeypatch):
    """A search with a stand-in of train.py; there is no test.py."""
    monkeypatch.setattr(child_processes, '_LOOK_S', 0.05)
    (tmp_path / 'train.py').write_text(TRAIN)
    config = tmp_path / 'a.py'
    config.write_text(
        'some = dict(alpha=1.0)\n'
        "val_dataloader = dict(dataset=dict(ann_file='val'))\n"
        "test_dataloader = dict(dataset=dict(ann_file='test'))\n"
    )

    def make(low=0.2, high=4.0, seed=3, metric='coco/AP', key='some.alpha', **settings):
        commands, children = Commands(tmp_path, **settings), ChildProcesses()
        span = Span(key, low, high)
        where = tmp_path / 'work'
        return Search(str(config), span, seed, where, commands, children, metric)

    return make


def test_trials_are_scored_by_their_last_validation(search, tmp_path):
    first = search()
    first.run(6, jobs=2)
    values = [trial.params['some.alpha'] for trial in first.trials.trials]
    assert len(values) == 6
    assert all(0.2 <= value <= 4 for value in values)
    made = [float(line) for line in calls(tmp_path)]
    assert sorted(made) == pytest.approx(sorted(values), rel=0.005)
    best = first.trials.best_params['some.alpha']
    assert best == min(values, key=lambda value: abs(math.log(value)))
    assert f'--grid some.alpha={best:.3g}' in first.report()
    assert first.chosen == f'{best:.3g}'
    again = search()
    again.run(8)
    assert len(again.trials.trials) == 8
    assert len(calls(tmp_path)) == 2


def test_trials_that_were_made_by_other_code_are_said(search, monkeypatch, capsys):
    """In the report, and before a search goes on."""
    first = search()
    first.run(2)
    assert 'made alike' not in first.report() + capsys.readouterr().out
    monkeypatch.setattr(ChildProcesses, 'maker', lambda _: dict(mmmix='0.0.0'))
    again = search()
    again.run(3)
    said = f'mmmix {__version__}: '
    assert f'mmmix 0.0.0: 1 to do; {said}' in capsys.readouterr().out
    last = again.trials.trials[-1].params['some.alpha']
    assert f'mmmix 0.0.0: {last:.3g}; {said}' in again.report()


def test_a_trial_that_goes_on_has_both_makers(search, tmp_path):
    first = search()
    first.trials.enqueue_trial({'some.alpha': 2.0})
    trial = first.trials.ask()
    trial.suggest_float('some.alpha', 0.2, 4.0, log=True)
    trial.set_user_attr('made_by', [dict(mmmix='0.0.0')])
    folder = tmp_path / 'work/a@some.alpha=2/seed_3'
    folder.mkdir(parents=True)
    torch.save({}, folder / 'epoch_1.pth')
    again = search()
    again.run(1)
    assert calls(tmp_path) == ['2 resume']
    versions = [made['mmmix'] for made in again.trials.trials[-1].user_attrs['made_by']]
    assert versions == ['0.0.0', __version__]


def test_trials_of_other_settings_are_not_chosen_among(search, tmp_path):
    search()
    search(low=0.1)
    for other in ({'seed': 4}, {'cfg_options': ['a=1']}, {'train_args': ['--amp']}):
        with pytest.raises(ValueError, match='has trials from another content of'):
            search(**other)
    with (tmp_path / 'a.py').open('a') as file:
        file.write('lr = 0.1\n')
    with pytest.raises(ValueError, match='Use another --work-dir'):
        search()


def test_a_training_that_lags_behind_is_ended(search):
    one = search()
    for value in (0.5, 1.0, 2.0, 1.5, 0.01):
        one.trials.enqueue_trial({'some.alpha': value})
    one._span = Span('some.alpha', 0.001, 4.0)
    one.run(5)
    states = [trial.state.name for trial in one.trials.trials]
    assert states == ['COMPLETE'] * 4 + ['PRUNED']
    assert one.trials.best_params == {'some.alpha': 1.0}
    assert one.trials.best_value == pytest.approx(0.3)
    assert '| 0.01       |   pruned |' in one.report()


def test_a_failed_training_is_said_and_does_not_count(search, tmp_path, capsys):
    one = search(high=9.0)
    one.trials.enqueue_trial({'some.alpha': 8.0})
    one.run(1)
    assert 'FAILED: a@some.alpha=8/seed_3: ValueError: too much (exit code 1)' in (
        capsys.readouterr().out
    )
    assert one.trials.trials[0].state.name == 'FAIL'
    assert 'No trial came to its end' in one.report()
    assert one.chosen == ''


def test_a_misspelt_setting_is_said_before_any_training(search, tmp_path):
    with (tmp_path / 'a.py').open('a') as file:
        file.write("optimizer = dict(type='SGD', lr=0.1)\n")
    for key, said in (
        ('optimizer.momentun', "no setting 'momentun'; the nearest is optimizer.mom"),
        ('som.alpha', "did you mean 'some'"),
    ):
        with pytest.raises((KeyError, ValueError), match=said):
            search(key=key)
    assert not (tmp_path / 'work').exists()


def test_a_misspelt_metric_ends_a_search_after_one_training(search, tmp_path):
    with pytest.raises(KeyError, match=r"has 'coco/ap'; there are \['coco/AP'\]"):
        search(metric='coco/ap').run(6)
    assert len(calls(tmp_path)) == 1


def test_a_search_that_was_stopped_goes_on_with_what_was_under_way(search, tmp_path):
    one = search(low=0.001)
    one.trials.enqueue_trial({'some.alpha': 0.05})
    errors = []

    def run():
        with pytest.raises(ChildStopped) as caught:
            one.run(1)
        errors.append(caught)

    thread = threading.Thread(target=run)
    thread.start()
    folder = tmp_path / 'work/a@some.alpha=0.05/seed_3'
    wait_for(lambda: validations(folder, 'coco/AP'), 180)
    one._children.stop()
    thread.join(180)
    assert errors
    (tmp_path / 'train.py').write_text(TRAIN.replace('time.sleep(60)', 'pass'))
    again = search(low=0.001)
    again.run(1)
    assert [trial.state.name for trial in again.trials.trials] == ['FAIL', 'COMPLETE']
    assert calls(tmp_path) == ['0.05', '0.05']
    assert [len(trial.user_attrs['made_by']) for trial in again.trials.trials] == [1, 1]


def test_a_choice_on_the_test_data_is_refused(tmp_path):
    config = tmp_path / 'a.py'
    config.write_text(
        "val_dataloader = dict(dataset=dict(ann_file='x', pipeline=[1]))\n"
        "test_dataloader = dict(dataset=dict(ann_file='x', pipeline=[2]))\n"
    )
    with pytest.raises(ValueError, match='validates on what it is tested on'):
        check_val_is_not_test(str(config), [])
    check_val_is_not_test(str(config), ['val_dataloader.dataset.ann_file=y'])
    for other in ('test_mode=True', 'filter_cfg.min_size=3', 'backend_args=None'):
        with pytest.raises(ValueError, match='validates on what it is tested on'):
            check_val_is_not_test(str(config), [f'val_dataloader.dataset.{other}'])
    config.write_text('test_dataloader = dict(dataset=dict())\n')
    with pytest.raises(ValueError, match='or not at all'):
        check_val_is_not_test(str(config), [])
    with pytest.raises(ValueError, match='validates on what it is tested on'):
        check_val_is_not_test('mmmix::ssd300_voc_boxmix.py', [])
    check_val_is_not_test('mmmix::demo/ssd_digits_boxmix.py', [])


@pytest.mark.parametrize(
    'text', ['a', 'a=1', 'a=1:x', 'a=2:1', 'a=0:1', '=1:2', 'a=1:inf']
)
def test_bad_spans(text):
    with pytest.raises(ValueError, match='--search expects'):
        parse_span(text)


def test_spans_are_read():
    assert parse_span('mix.ratio.alpha=0.05:2') == Span('mix.ratio.alpha', 0.05, 2.0)


def test_validations_are_read_while_they_are_written(tmp_path):
    for name, lines in (
        ('20260102_000000', [(2, 0.25), (3, 0.3)]),
        ('20260101_000000', [(1, 0.1), (2, 0.2)]),
    ):
        folder = tmp_path / name / 'vis_data'
        folder.mkdir(parents=True)
        text = [json.dumps({'m': value, 'step': step}) for step, value in lines]
        text += [json.dumps({'loss': 1.0, 'step': 9}), '{"m": 0.4, "st']
        (folder / 'scalars.json').write_text('\n'.join(text))
    assert validations(tmp_path, 'm') == [(1, 0.1), (2, 0.25), (3, 0.3)]
    assert validations(tmp_path, 'other') == []


def test_optuna_is_optional(search, monkeypatch):
    monkeypatch.setitem(sys.modules, 'optuna', None)
    with pytest.raises(ImportError, match=r"pip install 'mmmix\[search\]'"):
        search()
