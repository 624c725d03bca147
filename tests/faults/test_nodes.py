"""One of two machines goes away: nothing is lost."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from functools import partial

import pytest
import torch

from tests.faults import harness, nodes, toys
from tests.faults.harness import Run
from tests.faults.nodes import ManyRun

MAKE = partial(nodes.supervised, workers=1, seconds=0.02)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A run in four processes that nothing disturbed, and how long it took."""
    run = ManyRun(tmp_path_factory.mktemp('whole'), MAKE)
    return run, nodes.seconds_of(run)


def test_a_signal_to_one_machine_stops_both_after_the_same_iteration(tmp_path):
    make = partial(nodes.supervised, seconds=0.02)
    run = ManyRun(tmp_path / 'run', make)
    assert nodes.end_one(run, signal.SIGTERM, 1, 0.1) == [143] * 4
    assert 'Stopped by SIGTERM after iteration' in run.output()
    assert run.train('--resume') == 0
    whole = ManyRun(tmp_path / 'whole', make)
    assert whole.train() == 0
    assert not harness.same(run, whole)


def _unsaved(folder):
    """A run that saves nothing by itself."""
    config = toys.supervised(folder, seconds=0.02)
    config['default_hooks']['checkpoint'].update(interval=-1, save_best=None)
    return config


def _write_slowly():
    """A file takes a second to be on the disk."""
    sync = os.fsync
    os.fsync = lambda handle: (time.sleep(1), sync(handle))


def test_the_others_stay_until_the_first_process_has_saved(tmp_path):
    """torchrun and srun end all of them when one has ended."""
    run = ManyRun(tmp_path, _unsaved, world=2)
    first, second = run.begin_all(prepare=_write_slowly)
    harness.wait_for_text(run, 'Iter(train)')
    os.kill(second, signal.SIGTERM)
    assert harness.wait(second) == 143
    assert (run.work / 'last_checkpoint').is_file(), run.output()[-3000:]
    assert harness.wait(first) == 143


def test_machines_that_see_different_files_are_refused(tmp_path):
    """All of them end, instead of half a run that begins anew."""
    run = ManyRun(tmp_path, toys.supervised, world=2)
    run.work.mkdir()
    (run.work / 'last_checkpoint').write_text(str(run.work / 'iter_2.pth'))
    (run.work / 'iter_2.pth').write_bytes(b'cut short')
    assert run.train('--resume') == 1
    assert run.output().count('DamagedCheckpointError: the last checkpoint') == 2


@pytest.mark.slow
@pytest.mark.parametrize('seed', range(10))
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_one_machine_ends_at_a_random_moment(tmp_path, whole, number, seed):
    run = ManyRun(tmp_path, MAKE)
    codes, _, lost = nodes.lost_by(run, whole[0], number, seed, whole[1])
    if number is signal.SIGTERM:
        # Where the others trained to the end, so did it, and it may end on its way out.
        late = {-number} if 0 in codes else set()
        assert set(codes) - late in ({143}, {0})
    assert not lost


def test_another_number_of_processes(tmp_path):
    """Two processes go on where four were: the same images, and the same weights.

    The model has no layer that sees the batch, and its loss is a mean; what differs is
    the order of sums.
    """
    names = ('whole', 'run')
    whole, run = (ManyRun(tmp_path / name, toys.without_norm) for name in names)
    assert whole.train() == 0
    shutil.copytree(whole.work, run.work)
    for name in ('iter_8.pth', 'last_checkpoint'):
        (run.work / name).unlink()
    first = whole.saved('iter_6.pth')['meta']['images_per_step']
    assert first == {'processes': 4, 'batch': 4, 'passes': 1}
    run.world = 2
    last = str(run.work / 'iter_6.pth')
    assert run.train('--resume', last) == 1
    assert '4 processes x 4 images = 16 images a step, now it' in run.output()
    assert run.train('--resume', last, '--auto-scale-batch') == 0
    meta = run.saved('iter_8.pth')['meta']
    assert meta['images_per_step'] == {'processes': 2, 'batch': 8, 'passes': 1}
    for name, weight in whole.saved('iter_8.pth')['state_dict'].items():
        torch.testing.assert_close(run.saved('iter_8.pth')['state_dict'][name], weight)


def test_a_child_that_another_test_left_is_let_be(tmp_path):
    """A run ends with its message, and a child of its parent lives on."""
    child = multiprocessing.Process(target=time.sleep, args=(60,), daemon=True)
    child.start()
    run = Run(tmp_path, toys.supervised)
    try:
        assert run.train('--resume', 'nowhere.pth') != 0
        assert 'nowhere.pth' in run.output()
        assert child.is_alive()
    finally:
        child.kill()
        child.join()
