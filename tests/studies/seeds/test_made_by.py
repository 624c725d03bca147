"""What made the runs of a study, in its records and in words."""

from __future__ import annotations

import json
import subprocess

import pytest
import torch

from mmmix.studies.seeds import made_by
from mmmix.studies.seeds.child_processes import ChildProcesses
from mmmix.studies.seeds.made_by import made_unlike, present_maker
from mmmix.studies.seeds.records import read_records, write_records
from mmmix.studies.seeds.report import make_report
from tests.studies.seeds.stand_ins import run_pending
from tests.tools.test_study import (  # noqa: F401  fixtures
    configs,
    load_tool,
    make_study,
    tools,
)

OLD = {'sources': 'aa', 'commit': '12', 'torch': '2.9', 'processor': 'AVX2'}
NEW = {**OLD, 'sources': 'bb', 'commit': '34 with changes'}
START = 'Not all runs were made alike, and may differ by that: '


@pytest.fixture
def makers(monkeypatch):
    """Sets what makes the runs from now on."""

    def set_maker(maker):
        monkeypatch.setattr(ChildProcesses, 'maker', lambda children: maker)

    set_maker(OLD)
    return set_maker


def test_what_makes_runs_here():
    maker = present_maker(1)
    assert maker['torch'] == torch.__version__
    assert maker['processor'] == torch.backends.cpu.get_cpu_capability()
    assert {'mmmix', 'sources', 'mmengine', 'mmcv', 'mmdet'} < set(maker)
    assert present_maker(1) == maker
    assert present_maker(2) == {**maker, 'threads': '2'}
    elsewhere = present_maker(1, here=False)
    assert set(maker) - set(elsewhere) == {'processor'}


def test_the_commit_is_that_of_the_package(tmp_path, monkeypatch):
    """Not that of a checkout which the environment of a user lies in."""

    def git(*words):
        who = ['-c', 'user.name=a', '-c', 'user.email=a@b.c']
        command = ['git', *who, *words]
        return subprocess.check_output(command, cwd=tmp_path, text=True).strip()

    package = tmp_path / 'env/mmmix'
    package.mkdir(parents=True)
    monkeypatch.setattr(made_by, '_PACKAGE', package)
    (package / '__init__.py').write_text('a = 1\n')
    assert 'commit' not in present_maker(1)
    git('init', '-q')
    (tmp_path / 'own.txt').touch()
    git('add', 'own.txt')
    git('commit', '-qm', 'x')
    assert 'commit' not in present_maker(1)
    git('add', '.')
    git('commit', '-qm', 'y')
    clean = present_maker(1)
    assert clean['commit'] == git('rev-parse', '--short=12', 'HEAD')
    (tmp_path / 'own.txt').write_text('of something else')
    (package / '.#lock.py').symlink_to('nowhere')
    (package / '.#lock.py').unlink()
    assert present_maker(1) == clean
    (package / '__init__.py').write_text('a = 2\n')
    changed = present_maker(1)
    assert changed['commit'] == f'{clean["commit"]} with changes'
    assert changed['sources'] != clean['sources']
    git('commit', '-qam', 'z')
    assert present_maker(1)['sources'] == changed['sources']


def test_runs_are_named_by_what_differs():
    records = {f'a/seed_{n}': {'made_by': [OLD]} for n in range(5)}
    assert made_unlike(records) == ''
    records['a/seed_5'] = {'made_by': [{**OLD, 'commit': '34'}]}
    records['a/seed_6'] = {}
    assert made_unlike(records) == ''
    records['b/seed_0'] = {'made_by': [{**OLD, 'torch': '2.11'}]}
    records['b/seed_1'] = {'made_by': [OLD, {**OLD, 'torch': '2.11'}]}
    said = 'torch 2.11: b/seed_0; torch 2.9, then torch 2.11: b/seed_1; torch 2.9: '
    assert made_unlike(records) == f'{START}{said}the other 6.'
    records = {'a/seed_0': {'made_by': [OLD]}, 'b/seed_0': {'made_by': [NEW]}}
    assert made_unlike(records) == (
        f'{START}sources bb, commit 34 with changes: b/seed_0; '
        'sources aa, commit 12: a/seed_0.'
    )
    records['b/seed_0']['made_by'] = [{'torch': '2.9'}]
    assert made_unlike(records) == ''


def test_records_say_what_made_them(configs, tools, makers):  # noqa: F811
    first = make_study(configs, tools, seeds=(0,))
    for record in run_pending(first):
        assert record['made_by'] == [OLD]
    makers(NEW)
    run_pending(make_study(configs, tools))
    folder = tools.parent / 'work'
    records, _ = read_records(folder)
    assert {name: record['made_by'] for name, record in records.items()} == {
        'a/seed_0': [OLD],
        'bcd/seed_0': [OLD],
        'a/seed_1': [NEW],
        'bcd/seed_1': [NEW],
    }
    said = 'sources bb, commit 34 with changes: a/seed_1, bcd/seed_1; sources aa'
    assert said in make_report(folder, ['a.py', 'bcd.py'], None)[0]
    for record in records.values():
        del record['made_by']
    write_records(folder, records)
    assert START not in make_report(folder, ['a.py', 'bcd.py'], None)[0]


@pytest.mark.parametrize(
    ('before', 'after'), [([OLD], [OLD, NEW]), (None, None), ('gone', [NEW])]
)
def test_a_run_that_goes_on_has_all_its_makers(
    before,
    after,
    configs,  # noqa: F811
    tools,  # noqa: F811
    makers,
):
    study = make_study(configs[:1], tools, seeds=(0,))
    (run,) = study.runs
    record = study.execute(run)
    record.pop('metrics')
    if before is None:
        del record['made_by']
    write_records(tools.parent / 'work', {run.name: {**record, 'state': 'started'}})
    if before == 'gone':
        for path in run.folder.glob('*'):
            if path.is_file():
                path.unlink()
    for path in (run.folder / 'test').iterdir():
        path.rename(run.folder / 'old')
    makers(NEW)
    (again,) = run_pending(make_study(configs[:1], tools, seeds=(0,)))
    assert (again['state'], again.get('made_by')) == ('done', after)


def test_other_code_is_told_before_the_first_run(
    configs,  # noqa: F811
    tools,  # noqa: F811
    makers,
    tmp_path,
    capsys,
):
    main = load_tool(tools)['main']
    words = [configs[0], '--work-dir', str(tmp_path / 'w'), '--seeds']
    main([*words, '0'])
    makers(NEW)
    capsys.readouterr()
    main([*words, '0'])
    assert START not in capsys.readouterr().out
    main([*words, '0', '1', '2'])
    out = capsys.readouterr().out
    later = 'sources aa, commit 12: a/seed_0; sources bb'
    assert -1 < out.find(START) < out.find('3 runs, 2 of them to do') < out.rfind(START)
    assert (
        'sources bb, commit 34 with changes: 2 to do; sources aa, commit 12: a' in out
    )
    assert later in out
    text = (tmp_path / 'w/report.md').read_text()
    assert text.count(START) == 1
    capsys.readouterr()
    main([*words, '0', '--report'])
    assert later in capsys.readouterr().out


def test_a_start_that_failed_is_no_part_of_a_run(configs, tools, makers):  # noqa: F811
    train = (tools / 'train.py').read_text()
    (tools / 'train.py').write_text("raise SystemExit('a fault in the code')")
    run_pending(make_study(configs, tools, seeds=(0,)))
    (tools / 'train.py').write_text(train)
    makers(NEW)
    study = make_study(configs, tools, seeds=(0,))
    assert study.made_unlike() == ''
    assert [record['made_by'] for record in run_pending(study)] == [[NEW], [NEW]]


def test_makers_that_are_none_are_damage(configs, tools, makers):  # noqa: F811
    run_pending(make_study(configs[:1], tools, seeds=(0,)))
    results = tools.parent / 'work/results.json'
    content = json.loads(results.read_text())
    content['runs']['a/seed_0']['made_by'] = 'me'
    results.write_text(json.dumps(content))
    records, damage = read_records(tools.parent / 'work')
    assert 'is no record of a run' in damage
    assert records['a/seed_0']['made_by'] == [OLD]
