"""A run of two machines, one of which goes away, and an evaluation on both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial

import pytest
import torch

from mmmix.testing.digits import DigitsSettings
from mmmix.testing.digits.generate import generate
from tests.apis.launching import machines
from tests.faults import harness, toys
from tests.faults.harness import Run
from tests.faults.nodes import ManyRun, free_port

pytestmark = pytest.mark.slow

MAKE = partial(toys.supervised, seconds=0.05)


@pytest.fixture
def two(tmp_path):
    with machines.two_machines(tmp_path) as pair:
        yield pair


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A run of as many processes on one machine, without torchrun, undisturbed."""
    run = ManyRun(tmp_path_factory.mktemp('whole'), MAKE)
    assert run.train() == 0, run.output()[-3000:]
    return run


def test_one_machine_is_killed_and_both_are_started_again(two, tmp_path, whole):
    run, port = Run(tmp_path / 'run', MAKE), free_port()
    arguments = ('train', run.config, '--work-dir', run.work)
    first, second = (one.start(*arguments, port=port) for one in two)
    _wait_for_iterations(run, first, second)
    machines.kill(second)
    assert first.wait(600) == 1
    assert len(run.files()) < len(whole.files()) or harness.same(run, whole)
    assert machines.both(two, *arguments, '--resume') == [0, 0], two[0].output()
    assert not harness.same(run, whole)


def test_a_machine_that_comes_back_joins_the_other_one(two, tmp_path, whole):
    """torchrun waits for it; what it does not know, the other one tells."""
    run, port = Run(tmp_path / 'run', MAKE), free_port()
    arguments = ('train', run.config, '--work-dir', run.work)
    first, second = (one.start(*arguments, port=port, restarts=3) for one in two)
    _wait_for_iterations(run, first, second)
    machines.kill(second)
    second = two[1].start(*arguments, port=port, restarts=3)
    codes = [first.wait(900), second.wait(900)]
    said = two[0].output() + two[1].output()
    assert codes == [0, 0], said[-5000:]
    assert 'resumed epoch: 0, iter: ' in said
    assert not harness.same(run, whole)


def test_a_signal_to_one_machine_is_obeyed_by_both(two, tmp_path, whole):
    run, port = Run(tmp_path / 'run', MAKE), free_port()
    arguments = ('train', run.config, '--work-dir', run.work)
    runs = [one.start(*arguments, port=port) for one in two]
    _wait_for_iterations(run, *runs)
    runs[1].terminate()
    assert [one.wait(600) for one in runs] == [143, 143], two[0].output()[-3000:]
    assert machines.both(two, *arguments, '--resume') == [0, 0]
    assert not harness.same(run, whole)


def _wait_for_iterations(run, *parts):
    """Until the first checkpoint is there, and with it the second iteration."""
    first = run.work / 'last_checkpoint'
    machines.wait_until(
        lambda: first.is_file() or any(part.poll() is not None for part in parts)
    )
    assert [part.poll() for part in parts] == [None] * len(parts)


CONFIG = """
_base_ = [{base!r}]
custom_imports = dict(imports=['mmmix', 'tests.apis.toy_detections'])
model = dict(_delete_=True, type='TruthTeller')
test_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(data_root={data!r}),
)
"""


def test_both_machines_find_the_ap_of_one_process(two, tmp_path):
    """Ten images on four processes: two are seen twice, and count once."""
    data = f'{tmp_path}/digits/'
    settings = DigitsSettings(train=2, val=2, test=10, seed=1)
    generate(settings, data, progress=False)
    base = str(machines.TOOLS.parent / 'configs/demo/ssd_digits.py')
    config = tmp_path / 'truth.py'
    config.write_text(CONFIG.format(base=base, data=data))
    checkpoint = tmp_path / 'weights.pth'
    torch.save({'state_dict': {'weight': torch.zeros(1)}}, checkpoint)
    alone = [sys.executable, machines.TOOLS / 'test.py', config, checkpoint]
    subprocess.run(
        [*alone, '--work-dir', tmp_path / 'one'],
        check=True,
        # as machines.py has it: the config's model is one of the tests
        env={**os.environ, 'PYTHONPATH': str(machines.TOOLS.parent)},
    )
    arguments = ('test', config, checkpoint, '--work-dir', tmp_path / 'both')
    assert machines.both(two, *arguments) == [0, 0], two[0].output()[-3000:]
    expected, got = (_metrics(tmp_path / name) for name in ('one', 'both'))
    assert 0.1 < expected['coco/AP'] < 0.9
    assert got == expected


def _metrics(folder):
    (path,) = (p for p in folder.glob('*/*.json') if p.stem == p.parent.name)
    found = json.loads(path.read_text())
    return {key: found[key] for key in found if key not in ('time', 'data_time')}
