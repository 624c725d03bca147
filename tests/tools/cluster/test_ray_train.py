"""Training in workers of Ray Train."""

from __future__ import annotations

import json
import sys

import pytest

from mmmix.commands import ray_train
from tests.tools.cluster import ray_stub
from tests.toy_run import write_config


@pytest.fixture
def ray(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')
    ray_stub.install(monkeypatch)


def test_two_workers_are_one_run_that_goes_on(ray, tmp_path, monkeypatch):
    """Their process group is used, from a folder of theirs, and stays as it was."""
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=1))
    arguments = ['toy.py', '--cpu', '--workers', '2', '--work-dir', 'work']
    ray_train.main([*arguments, '--max-failures', '0'])
    ranks = [json.loads((tmp_path / f'rank{i}.json').read_text()) for i in (0, 1)]
    assert [seen['iter'] for seen in ranks] == [2, 2]
    assert ranks[0]['weight'] == ranks[1]['weight']
    assert ranks[0]['wrapper'] == 'CPUDistributedDataParallel'
    assert (tmp_path / 'work/epoch_1.pth').is_file()
    more = ['--cfg-options', 'train_cfg.max_epochs=2']
    ray_train.main([*arguments, '--max-failures', '0', *more])
    again = json.loads((tmp_path / 'rank0.json').read_text())
    assert again['iter'] == 4
    assert again['weight'] != ranks[0]['weight']


def test_what_ray_is_asked_for(ray, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(ray_stub.TorchTrainer, 'fit', lambda self: asked.append(self))
    monkeypatch.chdir(tmp_path)
    ray_train.main(
        ['mmmix::ssd300_voc.py', '--workers', '16', '--cpus-per-worker', '4']
        + ['--work-dir', 'runs/a', '--storage', 's', '--amp', '--seed', '3']
    )
    (trainer,) = asked
    assert trainer.train_loop_config == dict(
        folder=str(tmp_path),
        argv=['mmmix::ssd300_voc.py', '--work-dir', f'{tmp_path}/runs/a', '--resume']
        + ['--amp', '--seed', '3'],
    )
    assert trainer.scaling_config == ray_stub.ScalingConfig(
        16, True, {'CPU': 4, 'GPU': 1}
    )
    assert trainer.run_config == ray_stub.RunConfig(
        'a', f'{tmp_path}/s', ray_stub.FailureConfig(3)
    )


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(ImportError, match=r"pip install 'ray\[train\]'"):
        ray_train.main(['c.py', '--work-dir', 'w'])
