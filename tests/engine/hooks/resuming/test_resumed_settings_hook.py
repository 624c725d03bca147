"""Settings that a resumed run does not take from its config."""

from __future__ import annotations

import json

import pytest

from mmmix.commands import train
from tests.toy_run import write_config

WARNED = 'have no effect'
CASES = {
    'optim_wrapper.optimizer.lr=0.5': 'lr=0.5 (the checkpoint has 0.1)',
    'optim_wrapper.optimizer.momentum=0.5': 'momentum=0.5 (the checkpoint has 0.9)',
    'param_scheduler.0.milestones=[2,3]': (
        'MultiStepLR.milestones=[2, 3] (the checkpoint has [1])'
    ),
    'param_scheduler.0.gamma=0.5': 'MultiStepLR.gamma=0.5 (the checkpoint has 0.1)',
    # mmengine has a schedule end with the training, where it does not say when
    'train_cfg.max_epochs=3': 'MultiStepLR.end=3 (the checkpoint has 2)',
    'param_scheduler=[]': '0 schedules (the checkpoint has 1)',
}


@pytest.fixture(scope='module')
def begun(tmp_path_factory):
    """The first epoch of a run of two."""
    folder = tmp_path_factory.mktemp('begun')
    config = write_config(folder, 'begun.py')
    train.main([config, '--work-dir', str(folder), '--seed', '0'])
    return folder / 'epoch_1.pth'


def resumed(begun, folder, *options) -> tuple[dict, str]:
    """What such a run was like in the end, and its log."""
    name = f'toy{abs(hash((folder, options)))}.py'  # a run is known by its name
    args = [write_config(folder, name), '--work-dir', str(folder), '--resume']
    changes = ['--cfg-options', *options] if options else []
    train.main([*args, str(begun), *changes])
    (log,) = folder.glob('*/*.log')
    return json.loads((folder / 'rank0.json').read_text()), log.read_text()


def test_nothing_is_said_of_the_same_settings(begun, tmp_path):
    seen, log = resumed(begun, tmp_path, 'train_cfg.val_interval=2')
    assert WARNED not in log
    assert seen['lr'] == [pytest.approx(0.01)]


@pytest.mark.parametrize('option', CASES)
def test_what_the_checkpoint_overrules_is_named(option, begun, tmp_path):
    seen, log = resumed(begun, tmp_path, option)
    (line,) = (line for line in log.splitlines() if WARNED in line)
    assert f'{WARNED}: {CASES[option]}. To train' in line
    assert line.endswith(f'load_from={begun}')
    if option != 'param_scheduler=[]':  # as the run that was begun goes on
        assert seen['lr'] == [pytest.approx(0.01)]


def test_another_start_has_its_own_settings(begun, tmp_path):
    config = write_config(tmp_path, 'start.py', load_from=str(begun))
    options = ['--cfg-options', 'optim_wrapper.optimizer.lr=0.5']
    train.main([config, '--work-dir', str(tmp_path), *options])
    (log,) = tmp_path.glob('*/*.log')
    assert WARNED not in log.read_text()
