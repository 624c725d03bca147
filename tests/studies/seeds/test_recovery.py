"""Studies whose files were damaged or lost."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from mmmix.commands.study import make_report
from mmmix.studies.seeds.child_processes import ChildProcesses
from mmmix.studies.seeds.records import read_records
from mmmix.studies.seeds.runs import Commands
from mmmix.studies.seeds.study import Study
from tests.studies.seeds.stand_ins import TEST, TRAIN, calls, run_pending


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """The folder of two finished runs, a/seed_0 and b/seed_0, not to be changed."""
    folder = tmp_path_factory.mktemp('study')
    for name in ('a', 'bcd'):
        (folder / f'{name}.py').write_text("model = 'good'\n")
    (folder / 'tools').mkdir()
    (folder / 'tools/train.py').write_text(TRAIN)
    (folder / 'tools/test.py').write_text(TEST)
    run_pending(study_of(folder))
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """The same, to be changed."""
    copy = tmp_path / 'study'
    shutil.copytree(finished, copy)
    for pointer in copy.glob('work/*/*/last_checkpoint'):
        pointer.write_text(str(pointer.with_name('epoch_1.pth')))
    calls(copy / 'tools')
    return copy


def study_of(folder, **settings):
    commands = Commands(folder / 'tools')
    names = [str(folder / f'{name}.py') for name in ('a', 'bcd')]
    # Contents of configs count, not their paths: a copied study is the same.
    return Study(names, [0], folder / 'work', commands, ChildProcesses(), **settings)


DAMAGES = {
    'empty': b'',
    'cut short': b'{"runs": {"a/seed_0": {"config": "a.py", "se',
    'not text': bytes(range(128, 256)),
    'no runs': b'{"seeds": [1]}',
    'a list': b'[1, 2]',
    'a wrong record': b'{"runs": {"a/seed_0": {"config": "a.py", "seed": "zero"}}}',
    'no metrics': b'{"runs": {"a/seed_0": {"config": "a.py", "seed": 0, '
    b'"fingerprint": null, "state": "done"}}}',
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_damaged_results_are_set_aside_and_made_again(damage, folder, capsys):
    results = folder / 'work/results.json'
    before = json.loads(results.read_text())
    results.write_bytes(DAMAGES[damage])
    text, _ = make_report(folder / 'work', ['a.py', 'bcd.py'], None)
    assert f'{results} is damaged' in text
    assert '| bcd    | +2.000 (1) |' in text
    study = study_of(folder)
    assert study.pending == []
    assert json.loads(results.read_text()) == before
    aside = results.with_name('results.json.damaged')
    assert aside.read_bytes() == DAMAGES[damage]
    assert 'it is now results.json.damaged' in capsys.readouterr().out
    results.write_bytes(b'')
    study_of(folder)
    assert results.with_name('results.json.damaged2').read_bytes() == b''


def test_runs_of_older_versions_are_known_by_what_they_left(folder):
    """Without copies of the records: tested is done, anything else goes on."""
    work = folder / 'work'
    (work / 'results.json').write_bytes(b'')
    for copy in work.glob('*/*/record.json'):
        copy.unlink()
    later = (work / 'bcd/seed_0/epoch_1.pth').stat().st_mtime + 100
    os.utime(work / 'bcd/seed_0/epoch_1.pth', (later, later))
    records, _ = read_records(work)
    assert records['a/seed_0'] == dict(
        config='a.py',
        seed=0,
        fingerprint=None,
        state='done',
        error=None,
        metrics={'coco/AP': 1.0},
    )
    assert records['bcd/seed_0']['state'] == 'started'
    assert [run.name for run in study_of(folder).pending] == ['bcd/seed_0']


def retrain(folder):
    """Put a finished run back to where it was before its test; run the rest."""
    results = folder / 'work/results.json'
    content = json.loads(results.read_text())
    content['runs']['a/seed_0']['state'] = 'trained'
    results.write_text(json.dumps(content))
    shutil.rmtree(folder / 'work/a/seed_0/test')
    (record,) = run_pending(study_of(folder))
    assert (record['state'], record['error']) == ('done', None)
    return calls(folder / 'tools')


def test_a_trained_run_whose_checkpoints_are_gone_begins_anew(folder, capsys):
    for name in ('epoch_1.pth', 'last_checkpoint'):
        (folder / 'work/a/seed_0' / name).unlink()
    assert retrain(folder) == ['train a 0', 'test a 0']
    assert 'a/seed_0: its checkpoints are gone' in capsys.readouterr().out


def test_a_trained_run_whose_checkpoint_is_broken_begins_anew(folder, capsys):
    run = folder / 'work/a/seed_0'
    (run / 'epoch_1.pth').write_bytes(b'cut short')
    assert retrain(folder) == ['train a 0', 'test a 0']
    assert (run / 'epoch_1.pth.damaged').read_bytes() == b'cut short'
    assert 'has 9 bytes and is cut short' in capsys.readouterr().out


def test_a_trained_run_goes_on_from_an_older_checkpoint(folder, capsys):
    run = folder / 'work/a/seed_0'
    (run / 'epoch_2.pth').write_bytes(b'cut short')
    (run / 'last_checkpoint').write_text('epoch_2.pth')
    assert retrain(folder) == ['train a 0 resume', 'test a 0']
    assert 'going on from' in capsys.readouterr().out


def test_best_checkpoints_are_tested_beside_the_last(folder):
    for name in ('a', 'bcd'):
        run = folder / 'work' / name / 'seed_0'
        shutil.copy(run / 'epoch_1.pth', run / 'best_coco_AP_epoch_1.pth')
    tests = (folder / 'tools/test.py').read_text()
    (folder / 'tools/test.py').write_text(tests.replace('0.1 * seed', '10'))
    study = study_of(folder, checkpoint='best')
    assert [r['error'] for r in run_pending(study)] == [None, None]
    assert calls(folder / 'tools') == ['test a 0', 'test bcd 0']
    assert study_of(folder).pending == study_of(folder, checkpoint='best').pending == []
    names = ['a.py', 'bcd.py']
    assert '1.000 (1)' in make_report(folder / 'work', names, None)[0]
    assert '11.000 (1)' in make_report(folder / 'work', names, None, 'best')[0]


def test_no_best_checkpoint_or_two(folder):
    run = folder / 'work/a/seed_0'
    for count in (0, 2):
        for number in range(count):
            shutil.copy(run / 'epoch_1.pth', run / f'best_{number}.pth')
        first, _ = run_pending(study_of(folder, checkpoint='best'))
        assert 'default_hooks.checkpoint.save_best' in first['error']
        assert '--checkpoint last' in first['error']
    # The last checkpoint was tested all the same.
    for checkpoint, failed in (('last', []), ('best', ['a/seed_0', 'bcd/seed_0'])):
        names = ['a.py', 'bcd.py']
        text, numbers = make_report(folder / 'work', names, None, checkpoint)
        assert list(numbers['failed']) == failed
        assert ('FAILED' in text) == bool(failed)


def test_other_folders_are_no_runs(folder):
    (folder / 'work/notes/seed_x').mkdir(parents=True)
    (folder / 'work/results.json').write_bytes(b'')
    records, _ = read_records(folder / 'work')
    assert list(records) == ['a/seed_0', 'bcd/seed_0']
