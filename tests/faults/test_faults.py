"""What faults of the machine leave of a run: nothing is lost, nothing half written."""

from __future__ import annotations

import os
import shutil
import signal
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest

from mmmix.commands import study as study_module
from mmmix.studies.seeds.records import read_records
from tests.faults import campaign, harness, toys
from tests.faults.harness import Run
from tests.faults.planned_faults import Fault, full_disk
from tests.studies.seeds import stand_ins


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Finished runs that nothing disturbed, by kind; made when first asked for."""
    folder, made = tmp_path_factory.mktemp('whole'), {}

    def get(kind: str, **options) -> Run:
        key = f'{kind}{options}'
        if key not in made:
            made[key] = Run(folder / str(len(made)), toys.KINDS[kind], **options)
            assert made[key].train() == 0, made[key].output()[-3000:]
        return made[key]

    return get


SHORT = [
    ('supervised', 'checkpoint', 2),
    ('supervised', 'checkpoint', 8),
    ('supervised', 'best', 6),
    ('supervised', 'pointer', 2),
    ('supervised', 'validation', 1),
    ('supervised', 'preview', 2),
    ('supervised', 'log', 9),
    ('epochs', 'best', 2),
    ('semi', 'checkpoint', 7),
]


def check_kill(tmp_path, whole, kind, write, number):
    code, lost = campaign.killed(
        tmp_path / 'run', toys.KINDS[kind], whole(kind), Fault(write, number)
    )
    assert code == -signal.SIGKILL
    assert not lost


@pytest.mark.parametrize(('kind', 'write', 'number'), SHORT)
def test_a_kill_while_writing_loses_nothing(tmp_path, whole, kind, write, number):
    check_kill(tmp_path, whole, kind, write, number)


@pytest.mark.slow
@pytest.mark.parametrize('kind', toys.KINDS)
@pytest.mark.parametrize('write', campaign.STEPS)
def test_many_kills_lose_nothing(tmp_path, whole, kind, write):
    for number in campaign.STEPS[write]:
        make = toys.KINDS[kind]
        place = tmp_path / f'{number}'
        _, lost = campaign.killed(place, make, whole(kind), Fault(write, number))
        assert not lost


def test_the_faults_of_mmengines_hook_are_seen(tmp_path, whole):
    """The harness finds what in-place writing loses."""

    def stock(folder):
        config = toys.supervised(folder)
        # A class of its own is not replaced.
        config['default_hooks']['checkpoint']['type'] = 'StockCheckpointHook'
        return config

    # In the middle of the first checkpoint, which stays behind cut in two.
    code, lost = campaign.killed(
        tmp_path / 'run', stock, whole('supervised'), Fault('checkpoint', 2)
    )
    assert code == -signal.SIGKILL
    assert lost


@pytest.mark.parametrize(
    ('phase', 'number', 'code'),
    [
        ('training', signal.SIGTERM, 143),
        pytest.param('training', signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param('validation', signal.SIGTERM, 143, marks=pytest.mark.slow),
        ('validation', signal.SIGINT, 130),
        ('test', signal.SIGTERM, 143),
        ('test', signal.SIGINT, 130),
    ],
)
def test_signals_to_a_run_and_its_workers(tmp_path, whole, phase, number, code):
    options = dict(workers=2, seconds=0.02)
    make = partial(toys.supervised, **options)
    got = campaign.stop_once(
        tmp_path / 'run', make, whole('supervised', **options), phase, number
    )
    assert got == (code, 0, '')


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize('phase', ['training', 'validation', 'test'])
def test_many_signals(tmp_path, whole, phase, number):
    options = dict(workers=2, seconds=0.02)
    make = partial(toys.supervised, **options)
    run = whole('supervised', **options)
    for count in range(20):
        got = campaign.stop_once(tmp_path / f'{count}', make, run, phase, number)
        assert got == (128 + number, 0, '')


def test_a_stop_in_the_middle_of_an_epoch_goes_on_there(tmp_path, whole):
    """Every iteration is a fork of the road: all eight of them, one after another."""
    run = Run(tmp_path, toys.epochs)
    stops = 0
    while True:
        code = run.train('--resume', prepare=partial(_stop_after, 1))
        if code == 0:
            break
        assert code == 143
        stops += 1
        assert stops < 20
    # The eighth iteration ends the training: what is left to do is done.
    assert stops >= 7
    assert not harness.same(run, whole('epochs'))


def _stop_after(count):
    """Send this process SIGTERM in its training iteration of that number."""
    from mmengine.optim import OptimWrapper

    update, seen = OptimWrapper.update_params, []

    def stopped(self, *args, **options):
        seen.append(1)
        if len(seen) == count:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, *args, **options)

    OptimWrapper.update_params = stopped


def test_the_log_says_what_was_saved_and_how_to_go_on(tmp_path):
    run = Run(tmp_path, toys.supervised)
    assert run.train('--seed', '3', prepare=partial(_stop_after, 3)) == 143
    said = run.output()
    assert 'SIGTERM: saving, then stopping; once more ends at once' in said
    last = said.strip().splitlines()[-1]
    assert f'the last checkpoint is {run.work}/iter_3.pth. To continue: ' in last
    assert last.endswith(f'{run.config} --work-dir {run.work} --seed 3 --resume')
    assert run.saved('iter_3.pth')['meta']['iter'] == 3


def test_a_second_signal_ends_at_once(tmp_path):
    run = Run(tmp_path, toys.supervised, seconds=0.0)
    assert run.train(prepare=_stop_twice) == 130
    assert not list(run.work.glob('*.pth'))


def _stop_twice():
    from mmengine.optim import OptimWrapper

    def stopped(self, *args, **options):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    OptimWrapper.update_params = stopped


@pytest.mark.parametrize('job', [{}, {'SLURM_ARRAY_JOB_ID': '7'}])
def test_slurm_queues_a_job_again(tmp_path, whole, job):
    """SIGUSR1 saves and asks scontrol; the job that comes back goes on by itself."""
    stub = tmp_path / 'scontrol'
    stub.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    stub.chmod(0o755)
    slurm = {
        'SLURM_JOB_ID': '41',
        'SLURM_PROCID': '0',
        'SLURM_ARRAY_TASK_ID': '3',
        'PATH': f'{tmp_path}:{os.environ["PATH"]}',
        **job,
    }
    run = Run(tmp_path / 'run', toys.supervised)

    def prepare():
        os.environ.update(slurm)
        _stop_after(3)
        os.kill = partial(_other_signal, os.kill)

    assert run.train(prepare=prepare) == 138
    expected = 'requeue 7_3' if job else 'requeue 41'
    assert (tmp_path / 'asked').read_text().strip() == expected
    again = partial(os.environ.update, {**slurm, 'SLURM_RESTART_COUNT': '1'})
    assert run.train(prepare=again) == 0
    assert 'resumed epoch: 0, iter: 3' in run.output()
    assert not harness.same(run, whole('supervised'))


def _other_signal(kill, pid, number):
    kill(pid, signal.SIGUSR1)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, whole):
    """Room for three checkpoints and a half, beside the best ones."""
    size = (whole('supervised').work / 'iter_8.pth').stat().st_size
    run = Run(tmp_path, toys.supervised)
    assert run.train(prepare=partial(full_disk, int(3.5 * size))) == 1
    said = run.output().strip().splitlines()[-1]
    assert 'is full' in said
    assert 'no room for' in said
    last = (run.work / 'last_checkpoint').read_text()
    assert f'the last checkpoint, {last}, is whole' in said
    assert not [name for name in run.files() if name.endswith('.tmp')]
    assert not campaign.resumed(run, whole('supervised'))


@pytest.mark.parametrize('how', ['flipped', 'hole', 'cut', 'gone'])
def test_a_broken_last_checkpoint_costs_what_came_after_the_one_before(
    tmp_path, whole, how
):
    run = Run(tmp_path, toys.supervised)
    shutil.copytree(whole('supervised').work, run.work)
    last, before = run.work / 'iter_8.pth', run.work / 'iter_6.pth'
    (run.work / 'last_checkpoint').write_text(str(last))
    content = last.read_bytes()
    middle = _weight_place(last)
    if how == 'gone':
        last.unlink()
    else:
        flipped = bytes([content[middle] ^ 1])
        last.write_bytes(
            {
                'flipped': content[:middle] + flipped + content[middle + 1 :],
                'hole': content[:middle] + bytes(4) + content[middle + 4 :],
                'cut': content[:middle],
            }[how]
        )
    assert not campaign.resumed(run, whole('supervised'))
    assert f'going on from {before}, which is whole' in run.output()


def _weight_place(path: Path) -> int:
    """Where in an archive the data of the first tensor are."""
    with zipfile.ZipFile(path) as archive:
        (entry,) = (e for e in archive.infolist() if e.filename.endswith('/data/0'))
    start = entry.header_offset
    names = path.read_bytes()[start + 26 : start + 30]  # lengths of name and extra
    return start + 30 + sum(int.from_bytes(names[i : i + 2], 'little') for i in (0, 2))


def test_two_runs_in_one_folder(tmp_path):
    run = Run(tmp_path, toys.supervised, workers=1, seconds=0.1)
    first = run.begin()
    harness.wait_for_text(run, 'Iter(train)')
    before = run.files()
    second = Run(tmp_path / 'second', toys.supervised)
    second.work = run.work
    assert second.train() == 1
    said = second.output().strip().splitlines()[-1]
    assert said.startswith('RuntimeError')
    assert f'{run.work} is in use by process {first} on {os.uname().nodename}' in said
    assert set(before) <= set(run.files())
    harness.signal_group(first, signal.SIGKILL)
    harness.wait(first)
    assert Run(tmp_path, toys.supervised).train('--resume') == 0  # without waits


@pytest.mark.parametrize('number', [1, 2, 4, 5, 7, 11, 12])
def test_a_study_that_is_killed_while_writing_results(tmp_path, number):
    """Each record is written three times, to its run's folder and to the study's."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools/train.py').write_text(stand_ins.TRAIN)
    (tmp_path / 'tools/test.py').write_text(stand_ins.TEST)
    (tmp_path / 'a.py').write_text("model = 'good'\n")
    argv = [str(tmp_path / 'a.py'), '--seeds', '4', '--work-dir', str(tmp_path / 'w')]
    command = partial(study_module.main, tools=tmp_path / 'tools')
    output = tmp_path / 'output.txt'
    fault = Fault('results', number)
    pid = harness.start(command, argv, output, fault.install)
    assert harness.wait(pid) == -signal.SIGKILL
    time.sleep(0.3)  # the command that it left running
    pid = harness.start(command, argv, output)
    assert harness.wait(pid) == 0, output.read_text()
    records, damage = read_records(tmp_path / 'w')
    assert not damage
    assert records['a/seed_4']['metrics'] == {'coco/AP': 1.4}
    assert not list((tmp_path / 'w').rglob('*.tmp'))
