"""Studies over stand-ins of train.py and test.py, and their statistics."""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from mmmix.apis.folder_lock import lock_folder
from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
    tail,
)
from mmmix.studies.seeds.logged_metrics import read_metrics, scalar_files
from mmmix.studies.seeds.report import (
    Spread,
    choose_metrics,
    finished_scores,
    paired_differences,
    report,
    spread_over_seeds,
)
from mmmix.studies.seeds.runs import Commands, Run
from mmmix.studies.seeds.study import Study

TOOL = 'mmmix.commands.study'

# Stand-ins log their arguments to calls.txt beside them and read from the config
# whether to fail or to hang.
TRAIN = """
import argparse, os, pathlib, sys, time, zipfile
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('--work-dir', type=pathlib.Path)
parser.add_argument('--seed')
parser.add_argument('--resume', action='store_true')
parser.add_argument('--amp', action='store_true')
parser.add_argument('--cfg-options', nargs='+')
args = parser.parse_args()
name = pathlib.Path(args.config).stem
with open(pathlib.Path(__file__).parent / 'calls.txt', 'a') as calls:
    flags = ' resume' * args.resume + ' amp' * args.amp
    print(f'train {name} {args.seed}{flags}', file=calls)
args.work_dir.mkdir(parents=True, exist_ok=True)
checkpoint = args.work_dir / 'epoch_1.pth'
with zipfile.ZipFile(checkpoint, 'w') as archive:
    archive.writestr('data', 'x')
(args.work_dir / 'last_checkpoint').write_text(str(checkpoint))
text = open(args.config).read()
if 'hang' in text:
    time.sleep(60)
if 'fail_once' in text and not args.resume:
    print('first line')
    sys.exit('CUDA is on fire')
"""
TEST = """
import argparse, json, pathlib
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('checkpoint', type=pathlib.Path)
parser.add_argument('--work-dir', type=pathlib.Path)
parser.add_argument('--cfg-options', nargs='+')
args = parser.parse_args()
assert args.checkpoint.exists()
name = pathlib.Path(args.config).stem
seed = int(args.work_dir.parent.name.removeprefix('seed_'))
with open(pathlib.Path(__file__).parent / 'calls.txt', 'a') as calls:
    print(f'test {name} {seed}', file=calls)
out = args.work_dir / '20260102_030405'
out.mkdir(parents=True)
metrics = {'coco/AP': len(name) + 0.1 * seed, 'time': 1.5, 'classwise': [1, 2]}
(out / '20260102_030405.json').write_text(json.dumps(metrics))
"""


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


def run_pending(study):
    return [study.execute(run) for run in study.pending]


def calls(tools):
    file = tools / 'calls.txt'
    lines = file.read_text().splitlines() if file.exists() else []
    file.write_text('')
    return lines


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
        f'exit code 1, end of {log}:\nfirst line\nCUDA is on fire'
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
    assert len(make_study(configs, tools, seeds=(1,)).pending) == 2


def test_names_must_differ(configs, tools, tmp_path):
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x/a.py').write_text('model = 1\n')
    for bad, seeds in (
        ([configs[0], str(tmp_path / 'x/a.py')], [0]),
        (configs, [1, 1]),
    ):
        with pytest.raises(ValueError, match='different file names'):
            make_study(bad, tools, seeds)


def test_commands():
    commands = Commands(Path('t'), ['a.b=1', 'c=[2,3]'], ['--amp'])
    run = Run('mmmix::demo/ssd_digits.py', 4, Path('w/x'))
    assert run.name == 'ssd_digits/seed_4'
    options = ['--cfg-options', 'a.b=1', 'c=[2,3]']
    assert commands.train(run, resume=True) == [
        *(sys.executable, 't/train.py', 'mmmix::demo/ssd_digits.py'),
        *('--work-dir', 'w/x', '--seed', '4', '--amp', '--resume'),
        *options,
    ]
    assert '--resume' not in commands.train(run, resume=False)
    assert commands.test(run, 'e.pth', Path('w/x/test')) == [
        *(sys.executable, 't/test.py', 'mmmix::demo/ssd_digits.py', 'e.pth'),
        *('--work-dir', 'w/x/test'),
        *options,
    ]


def test_metrics_are_found_and_read(tmp_path):
    log = tmp_path / '20260101_000000'
    (log / 'vis_data').mkdir(parents=True)
    for path in (log / 'vis_data/20260101_000000.json', log / 'config.json'):
        path.write_text('{}')
    file = log / '20260101_000000.json'
    file.write_text('{"pascal_voc/mAP": 0.5, "n": 2, "x": true, "time": 1, "l": [1]}')
    assert scalar_files(tmp_path) == {file}
    assert read_metrics(file) == {'pascal_voc/mAP': 0.5, 'n': 2.0}


def test_children_get_threads_and_devices(tmp_path):
    code = (
        'import os, time; time.sleep(0.2); '
        "print(os.environ['OMP_NUM_THREADS'], os.environ['CUDA_VISIBLE_DEVICES'])"
    )
    children = ChildProcesses(threads=3, gpus=['6', '7'])
    logs = [tmp_path / f'{index}.log' for index in range(3)]
    threads = [
        threading.Thread(target=children.call, args=([sys.executable, '-c', code], log))
        for log in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [log.read_text().split() for log in logs]
    assert [threads for threads, _ in seen] == ['3'] * 3
    assert {gpu for _, gpu in seen} == {'6', '7'}


def test_stopped_children_end_with_what_they_started(tmp_path):
    code = (
        'import subprocess, sys, time\n'
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        'inner = subprocess.Popen(sleep)\n'
        'print(inner.pid, flush=True)\n'
        'time.sleep(60)'
    )
    children = ChildProcesses()
    outcome = []

    def call():
        try:
            children.call([sys.executable, '-c', code], tmp_path / 'log')
        except ChildFailed as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: (tmp_path / 'log').exists() and tail(tmp_path / 'log'))
    assert children.logs() == [tmp_path / 'log']
    inner = int(tail(tmp_path / 'log'))
    children.stop()
    thread.join()
    assert isinstance(outcome[0], ChildStopped)
    wait_for(lambda: not alive(inner))
    with pytest.raises(ChildStopped):
        children.call([sys.executable, '-c', ''], tmp_path / 'log')


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.05)


def alive(pid):
    """Whether a process runs; one that ended but was not reaped does not."""
    status = Path(f'/proc/{pid}/stat')
    try:
        return status.read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


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
    assert '| bcd    | +2.000 ± 0.000 (2) |' in out
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


def test_the_tool_goes_on_after_a_failure(configs, tools, tmp_path, capsys):
    Path(configs[0]).write_text("model = 'fail_once'\n")
    arguments = [*configs, '--seeds', '0', '--work-dir', str(tmp_path / 'w')]
    main = load_tool(tools)['main']
    assert main(arguments) == 1
    assert 'a/seed_0 FAILED: exit code 1' in capsys.readouterr().out
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


def test_a_folder_in_use_is_refused(tmp_path):
    with (
        lock_folder(tmp_path / 'w'),
        pytest.raises(
            RuntimeError, match=rf'in use by process {os.getpid()} on .*pytest'
        ),
    ):
        lock_folder(tmp_path / 'w')
    lock_folder(tmp_path / 'w').close()


def test_a_run_left_behind_still_holds_the_folder(tmp_path):
    handle = lock_folder(tmp_path / 'w')
    children = ChildProcesses(pass_fds=[handle.fileno()])
    code = 'import time; print(1, flush=True); time.sleep(60)'
    thread = threading.Thread(
        target=lambda: pytest.raises(
            ChildStopped, children.call, [sys.executable, '-c', code], tmp_path / 'log'
        )
    )
    thread.start()
    wait_for(lambda: (tmp_path / 'log').exists() and tail(tmp_path / 'log'))
    handle.close()
    with pytest.raises(RuntimeError, match='left running'):
        lock_folder(tmp_path / 'w')
    children.stop()
    thread.join()
    lock_folder(tmp_path / 'w').close()


def scores():
    def run(ap, voc=0.5):
        return {'coco/AP': ap, 'voc/mAP': voc}

    return {
        'plain': {0: run(0.50), 1: run(0.70), 2: run(0.90)},
        'mix': {2: run(0.95), 0: run(0.60), 3: run(0.10)},
        'none': {},
    }


def test_spread_by_hand():
    spread = spread_over_seeds(scores(), 'coco/AP')
    assert spread['plain'] == Spread(pytest.approx(0.7), pytest.approx(0.2), 3)
    # 0.95, 0.60, 0.10: mean 0.55, squares 0.16 + 0.0025 + 0.2025 over 2.
    assert spread['mix'] == Spread(pytest.approx(0.55), pytest.approx(0.1825**0.5), 3)
    assert spread['none'] == Spread(None, None, 0)
    assert Spread.of([0.25]) == Spread(0.25, None, 1)


def test_differences_are_paired_by_seed():
    # Seeds 0 and 2 are common: 0.60 - 0.50 and 0.95 - 0.90.
    differences = paired_differences(scores(), 'coco/AP')
    assert differences == {
        'mix': Spread(pytest.approx(0.075), pytest.approx(0.00125**0.5), 2),
        'none': Spread(None, None, 0),
    }


@pytest.mark.parametrize('absent', [float('nan'), -1.0])
def test_absent_values_do_not_count(absent):
    table = scores()
    table['mix'][0]['coco/AP'] = absent
    assert spread_over_seeds(table, 'coco/AP')['mix'].n == 2
    assert paired_differences(table, 'coco/AP')['mix'].n == 1


def test_report_text():
    text, numbers = report(scores(), ['coco/AP'])
    assert text.splitlines() == [
        'Mean ± standard deviation over seeds (number of seeds)',
        '',
        '| config |           coco/AP |',
        '|--------|------------------:|',
        '| plain  | 0.700 ± 0.200 (3) |',
        '| mix    | 0.550 ± 0.427 (3) |',
        '| none   |               n/a |',
        '',
        'Difference to plain, paired by seed',
        '',
        '| config |            coco/AP |',
        '|--------|-------------------:|',
        '| mix    | +0.075 ± 0.035 (2) |',
        '| none   |                n/a |',
    ]
    assert numbers['paired']['coco/AP']['mix']['n'] == 2


def test_metrics_are_chosen():
    assert choose_metrics(scores(), None) == ['coco/AP', 'voc/mAP']
    assert choose_metrics(scores(), ['voc/mAP']) == ['voc/mAP']
    with pytest.raises(KeyError, match='voc/AP'):
        choose_metrics(scores(), ['voc/AP'])
    assert choose_metrics({'plain': {}}, ['voc/AP']) == ['voc/AP']


def test_only_finished_runs_of_the_named_configs_count():
    records = {
        'a/seed_0': dict(config='x/a.py', seed=0, state='done', metrics={'m': 1.0}),
        'a/seed_1': dict(config='x/a.py', seed=1, state='trained'),
        'b/seed_0': dict(config='x/b.py', seed=0, state='done', metrics={'m': 2.0}),
    }
    assert finished_scores(records, ['y/a.py', 'c.py']) == {
        'a': {0: {'m': 1.0}},
        'c': {},
    }
