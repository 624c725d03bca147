"""Runs that go on with another number of processes."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from mmmix.apis.launching import elastic
from mmmix.apis.launching.elastic import keep_images_per_step
from mmmix.engine.images_per_step import ImagesPerStep, images_per_step


def config(batch=4, passes=1, **loader):
    return Config(
        dict(
            train_dataloader=dict(batch_size=batch, **loader),
            optim_wrapper=dict(type='OptimWrapper', accumulative_counts=passes),
        )
    )


@pytest.fixture
def resume(monkeypatch):
    """Resume a run of some processes x images x passes on a number of processes."""

    def resumed(before, processes, cfg, scale=False):
        monkeypatch.setattr(elastic, 'get_world_size', lambda: processes)
        meta = {'images_per_step': ImagesPerStep(*before).to_dict()}
        keep_images_per_step(cfg, meta, scale)
        return cfg.train_dataloader.batch_size

    return resumed


@pytest.mark.parametrize(
    ('before', 'processes', 'passes', 'batch'),
    [
        ((8, 4, 1), 4, 1, 8),
        ((8, 4, 1), 16, 1, 2),
        ((8, 4, 1), 1, 1, 32),
        ((8, 4, 2), 4, 2, 8),
        ((8, 4, 1), 2, 4, 4),
        ((3, 2, 1), 2, 1, 3),
    ],
)
def test_the_images_of_a_step_stay(resume, before, processes, passes, batch):
    cfg = config(passes=passes)
    cfg.train_dataloader.batch_size = 5  # so that the numbers differ in every case
    with pytest.raises(ValueError, match='--auto-scale-batch') as refused:
        resume(before, processes, cfg)
    images = before[0] * before[1] * before[2]
    assert f'{before[0]} processes x {before[1]} images' in str(refused.value)
    assert f'{processes} processes x 5 images' in str(refused.value)
    assert f'gives each process {batch}' in str(refused.value)
    assert cfg.train_dataloader.batch_size == 5
    assert resume(before, processes, cfg, scale=True) == batch
    now = images_per_step(cfg, processes)
    assert now.images == images == processes * batch * passes


def test_the_same_number_is_no_change(resume):
    assert resume((8, 4, 1), 8, config(4)) == 4
    assert resume((8, 4, 1), 4, config(8)) == 8  # changed by hand
    assert resume((8, 4, 1), 4, config(4, passes=2)) == 4


@pytest.mark.parametrize('scale', [False, True])
def test_numbers_that_do_not_go_up(resume, scale):
    with pytest.raises(ValueError, match='evenly among 3 processes; go on with') as no:
        resume((2, 4, 1), 3, config(), scale)
    assert '2 processes x 4 images = 8' in str(no.value)
    assert '3 processes x 4 images = 12' in str(no.value)
    assert str(no.value).endswith('one of these numbers: 1, 2, 4, 8')
    with pytest.raises(ValueError, match='3 processes in 2 passes; go on with one of'):
        resume((2, 4, 1), 3, config(passes=2), scale)
    with pytest.raises(ValueError, match=r'accumulative_counts=3 passes; set it back'):
        resume((2, 4, 1), 2, config(passes=3), scale)


def test_batches_of_several_sources_are_left_alone(resume):
    sampler = dict(type='MixSourceSampler', batch_size=4, source_ratio=[1, 3])
    with pytest.raises(ValueError, match=r'shares a batch out among sources.* is 32'):
        resume((8, 4, 1), 4, config(sampler=sampler), True)


@pytest.mark.parametrize(
    'meta', [{}, {'images_per_step': 3}, {'images_per_step': {'processes': 0}}]
)
def test_a_checkpoint_that_does_not_tell(meta):
    cfg = config()
    keep_images_per_step(cfg, meta, scale=True)
    assert cfg.to_dict() == config().to_dict()


def test_a_config_that_does_not_tell(resume):
    assert images_per_step(Config(dict(train_dataloader=None)), 2) is None
    cfg = Config(dict(train_dataloader=dict(batch_size=None)))
    assert resume((8, 4, 1), 4, cfg) is None
