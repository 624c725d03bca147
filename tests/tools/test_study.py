"""Studies over stand-ins of train.py and test.py."""

from __future__ import annotations

import json
import runpy
from functools import partial
from pathlib import Path

import pytest

from mmmix.studies.seeds.child_processes import ChildProcesses
from mmmix.studies.seeds.runs import Commands
from mmmix.studies.seeds.study import Study
from tests.studies.seeds.stand_ins import TEST, TRAIN, calls, run_pending, wait_for

TOOL = 'mmmix.commands.study'


@pytest.fixture
def tools(tmp_path):
    folder = tmp_path / 'tools'
    folder.mkdir()
    (folder / 'train.py').write_text(TRAIN)
    (folder / 'test.py').write_text(TEST)
    return folder


@pytest.fixture
def configs(tmp_path):
    paths = [tmp_path / f'{name}.py' for name in ('a', 'bcd')]
    for path in paths:
        path.write_text("model = 'good'\n")
    return [str(path) for path in paths]


def make_study(configs, tools, seeds=(0, 1), **settings):
    commands = Commands(tools, **settings)
    folder = tools.parent / 'work'
    return Study(configs, seeds, folder, commands, ChildProcesses())


def test_runs_are_made_once(configs, tools):
    study = make_study(configs, tools)
    records = run_pending(study)
    expected = ['a 0', 'bcd 0', 'a 1', 'bcd 1']
    assert calls(tools) == [f'{do} {x}' for x in expected for do in ('train', 'test')]
    assert [record['state'] for record in records] == ['done'] * 4
    assert records[3]['metrics'] == {'coco/AP': pytest.approx(3.1)}
    again = make_study(configs, tools, seeds=(0, 1, 2))
    assert [run.name for run in again.pending] == ['a/seed_2', 'bcd/seed_2']
    assert again.records['bcd/seed_1'] == records[3]


def test_an_interrupted_training_is_resumed_and_a_finished_one_only_tested(
    configs, tools
):
    study = make_study(configs, tools, seeds=(5,))
    interrupted, trained = study.runs
    interrupted.folder.mkdir(parents=True)
    study.execute(trained)
    first = calls(tools)
    assert first == ['train bcd 5', 'test bcd 5']
    results = tools.parent / 'work/results.json'
    content = json.loads(results.read_text())
    content['runs']['bcd/seed_5']['state'] = 'trained'
    results.write_text(json.dumps(content))
    for file in (trained.folder / 'test').glob('*/*'):
        file.unlink()
    for folder in (trained.folder / 'test').iterdir():
        folder.rmdir()
    for name in ('epoch_1.pth', 'last_checkpoint'):
        (interrupted.folder / name).write_bytes((trained.folder / name).read_bytes())
    run_pending(make_study(configs, tools, seeds=(5,)))
    assert calls(tools) == ['train a 5 resume', 'test a 5', 'test bcd 5']


def test_a_failed_run_is_reported_and_tried_again(configs, tools):
    Path(configs[0]).write_text("model = 'fail_once'\n")
    study = make_study(configs, tools, seeds=(0,))
    failed, good = run_pending(study)
    assert failed['state'] == 'started'
    log = tools.parent / 'work/a/seed_0/train.log'
    assert failed['error'] == (
        f'CUDA is on fire (exit code 1), end of {log}:\nfirst line\nCUDA is on fire'
    )
    assert good['state'] == 'done'
    assert calls(tools) == ['train a 0', 'train bcd 0', 'test bcd 0']
    again = make_study(configs, tools, seeds=(0,))
    (record,) = run_pending(again)
    assert calls(tools) == ['train a 0 resume', 'test a 0']
    assert record['state'] == 'done'
    assert record['error'] is None


def test_a_test_without_metrics_fails_its_run(configs, tools):
    (tools / 'test.py').write_text('')
    study = make_study(configs, tools, seeds=(0,))
    assert 'wrote no <time>/<time>.json' in study.execute(study.runs[0])['error']
    assert study.records[study.runs[0].name]['state'] == 'trained'


def test_results_of_another_config_are_not_mixed_in(configs, tools):
    run_pending(make_study(configs, tools, seeds=(0,)))
    for change in ({'cfg_options': ['x=1']}, {'train_args': ['--amp']}):
        with pytest.raises(ValueError, match='a/seed_0 from another content'):
            make_study(configs, tools, seeds=(0,), **change)
    Path(configs[1]).write_text("model = 'other'\n")
    with pytest.raises(ValueError, match='bcd/seed_0 from another content'):
        make_study(configs, tools, seeds=(0,))
    # Seed 0 would be in the mean of seed 1.
    with pytest.raises(ValueError, match='bcd/seed_0 from another content'):
        make_study(configs, tools, seeds=(1,))
    assert len(make_study(configs[:1], tools, seeds=(1,)).pending) == 1


@pytest.mark.parametrize('state', ['started', 'trained'])
def test_what_other_settings_left_unfinished_is_in_no_mean(configs, tools, state):
    run_pending(make_study(configs, tools, seeds=(0,)))
    results = tools.parent / 'work/results.json'
    content = json.loads(results.read_text())
    content['runs']['bcd/seed_0']['state'] = state
    results.write_text(json.dumps(content))
    Path(configs[1]).write_text("model = 'other'\n")
    assert len(make_study(configs, tools, seeds=(1,)).pending) == 2


def test_a_run_without_its_entry_is_known_by_its_folder(configs, tools):
    """It would go on from a checkpoint of the other content."""
    run_pending(make_study(configs, tools, seeds=(0,)))
    (tools.parent / 'work/results.json').unlink()
    assert len(make_study(configs, tools, seeds=(0,)).pending) == 2
    Path(configs[1]).write_text("model = 'other'\n")
    with pytest.raises(ValueError, match=r'move .*/work/bcd/seed_0 away'):
        make_study(configs, tools, seeds=(0,))


def test_names_must_differ(configs, tools, tmp_path):
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x/a.py').write_text('model = 1\n')
    for bad, seeds in (
        ([configs[0], str(tmp_path / 'x/a.py')], [0]),
        (configs, [1, 1]),
    ):
        with pytest.raises(ValueError, match='different file names'):
            make_study(bad, tools, seeds)


def test_the_number_of_processes_is_part_of_a_result(configs, tools):
    run_pending(make_study(configs, tools, seeds=(0,)))
    with pytest.raises(ValueError, match='--train-args or --nproc'):
        make_study(configs, tools, seeds=(0,), processes=2)


def load_tool(tools):
    """The tool, making its runs with the stand-ins."""
    tool = runpy.run_module(TOOL)
    return tool | {'main': partial(tool['main'], tools=tools)}


def test_the_tool_runs_reports_and_resumes(configs, tools, tmp_path, capsys):
    main = load_tool(tools)['main']
    arguments = [*configs, '--seeds', '0', '1', '--work-dir', str(tmp_path / 'w')]
    assert main([*arguments, '--jobs', '2', '--train-args=--amp']) == 0
    out = capsys.readouterr().out
    assert '4 runs, 4 of them to do' in out
    assert '[4/4]' in out
    assert sorted(calls(tools))[-4:] == [
        f'train {name} {seed} amp' for name in ('a', 'bcd') for seed in (0, 1)
    ]
    assert '| bcd    | +2.000 [+2.000, +2.000] (2) |' in out
    assert main([*arguments, '--report']) == 0
    assert calls(tools) == []
    numbers = json.loads((tmp_path / 'w/report.json').read_text())
    assert numbers['mean']['coco/AP']['a'] == {
        'mean': pytest.approx(1.05),
        'std': pytest.approx(0.005**0.5),
        'n': 2,
    }
    text = (tmp_path / 'w/report.md').read_text().strip()
    assert text in out
    assert text in capsys.readouterr().out


def test_the_tool_varies_a_setting(configs, tools, tmp_path, capsys):
    """Names, records and the report have the setting; nothing is made twice."""
    Path(configs[0]).write_text('x = 1\nsome = dict(y=2)\n')
    main, work = load_tool(tools)['main'], tmp_path / 'w'
    arguments = [configs[0], '--seeds', '0', '--work-dir', str(work)]
    assert main([*arguments, '--grid', 'some.y=3']) == 0
    assert main([*arguments, '--grid', 'some.y=3,[4,5]']) == 0
    out = capsys.readouterr().out
    assert '2 runs, 1 of them to do' in out
    assert calls(tools) == ['train a 0', 'test a 0'] * 2
    runs = json.loads((work / 'results.json').read_text())['runs']
    assert list(runs) == ['a@some.y=3/seed_0', 'a@some.y=4_5/seed_0']
    assert runs['a@some.y=3/seed_0']['config'] == f'{configs[0]}@some.y=3'
    assert (work / 'a@some.y=4_5/seed_0/last_checkpoint').is_file()
    assert '| a@some.y=4_5 | 1.000 (1) |' in out
    (work / 'results.json').write_text('damaged')
    assert main([*arguments, '--grid', 'some.y=3,[4,5]', '--report']) == 0
    assert '| a@some.y=3   | 1.000 (1) |' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('words', 'jobs', 'said'),
    [
        ('--gpus 0 1 2 3', 4, ''),
        ('--gpus 0 1 2 3 --nproc 2', 2, ''),
        ('--gpus 0 1 2 3 --nproc 2 --jobs 1', 1, '--jobs 1 uses 2 of the 4 GPUs'),
        ('--gpus 0 1 --jobs 1', 1, '--jobs 2, the default, uses all'),
        ('--gpus 0 1 --jobs 3', 3, ''),
        ('', 1, ''),
    ],
)
def test_gpus_that_are_given_are_used(
    configs, tools, tmp_path, words, jobs, said, capsys
):
    tool, seen = load_tool(tools), []
    tool['run_all'].__globals__['run_all'] = lambda *args: seen.append(args[2])
    tool['main']([configs[0], '--work-dir', str(tmp_path / 'w'), *words.split()])
    assert seen == [jobs]
    out = capsys.readouterr().out
    assert said in out
    assert ('GPUs of --gpus' in out) is bool(said)


@pytest.mark.parametrize(
    'wrong',
    [
        ['--grid', 'x'],
        ['--jobs', '0'],
        ['--nproc', '0'],
        ['--nproc', '2', '--gpus', '0', '1', '2'],
        ['--executor-options', 'timeout_min=3'],
        ['--gpus', '0', '--executor', 'slurm'],
        ['--heartbeat', '0'],
    ],
)
def test_arguments_that_contradict_each_other(configs, tools, tmp_path, wrong, capsys):
    main = load_tool(tools)['main']
    with pytest.raises(SystemExit):
        main([*configs, '--work-dir', str(tmp_path / 'w'), *wrong])
    assert wrong[0] in capsys.readouterr().err


def test_the_tool_goes_on_after_a_failure(configs, tools, tmp_path, capsys):
    Path(configs[0]).write_text("model = 'fail_once'\n")
    arguments = [*configs, '--seeds', '0', '--work-dir', str(tmp_path / 'w')]
    main = load_tool(tools)['main']
    assert main(arguments) == 1
    assert (
        'a/seed_0 FAILED: CUDA is on fire (exit code 1), end of '
        in capsys.readouterr().out
    )
    assert main(arguments) == 0
    assert calls(tools)[3:] == ['train a 0 resume', 'test a 0']


def test_an_interruption_stops_the_runs_and_keeps_the_results(
    configs, tools, tmp_path, capsys
):
    Path(configs[1]).write_text("model = 'hang'\n")
    tool = load_tool(tools)
    main, functions = tool['main'], tool['run_all'].__globals__
    wait = functions['wait']
    work = tmp_path / 'w'

    def interrupted_wait(waiting, *args):
        if len(waiting) == 2:
            return wait(waiting, *args)
        wait_for((work / 'bcd/seed_0/last_checkpoint').exists)
        raise KeyboardInterrupt

    functions['wait'] = interrupted_wait
    arguments = [*configs, '--seeds', '0', '--work-dir', str(work), '--jobs', '2']
    with pytest.raises(KeyboardInterrupt):
        main(arguments)
    assert '| a      | 1.000 (1) |' in capsys.readouterr().out
    runs = json.loads((work / 'results.json').read_text())['runs']
    assert runs['a/seed_0']['state'] == 'done'
    assert runs['bcd/seed_0']['state'] == 'started'
    assert runs['bcd/seed_0']['error'] is None
    Path(configs[1]).write_text("model = 'good'\n")
    with pytest.raises(ValueError, match='bcd/seed_0 from another content'):
        main(arguments)
