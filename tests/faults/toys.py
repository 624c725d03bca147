"""Small runs of three kinds, with every kind of file that a run writes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from mmdet.registry import DATASETS, HOOKS, MODELS
from mmengine.hooks import CheckpointHook, Hook
from mmengine.structures import BaseDataElement

from tests.engine.hooks.teachers import test_mixed_domain_runs as domain_runs
from tests.engine.teacher_toy import ToySignals, ToyTeacherModel
from tests.models.teachers import domain
from tests.toy_run import toy_config

ITERS = 8
"""Iterations of each run; every second one is saved, validated and pictured."""


@MODELS.register_module()
class SlowToyTeacher(ToyTeacherModel):
    """A student and a teacher that can be validated."""

    def forward(self, x, mode='tensor'):
        if mode == 'loss':
            return super().forward(x, mode)
        return [BaseDataElement(y=float(y.mean())) for y in self.teacher(x)]


@DATASETS.register_module()
class SlowSignals(ToySignals):
    """Signals that take a while to load.

    Args:
        seconds: Of each.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds

    def __getitem__(self, index):
        time.sleep(self.seconds)
        return super().__getitem__(index)


@HOOKS.register_module()
class StockCheckpointHook(CheckpointHook):
    """mmengine's own, by another name."""


@HOOKS.register_module()
class ToyPictures(Hook):
    """Saves a picture every second iteration."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter % 2 == 0:
            picture = np.full((8, 8, 3), runner.iter, np.uint8)
            runner.visualizer.add_image('preview', picture, step=runner.iter)


def _iterations(**changes) -> dict:
    """What the three have in common."""
    checkpoint = dict(
        type='CheckpointHook',
        interval=2,
        by_epoch=False,
        max_keep_ckpts=2,
        save_best='mean',
        rule='greater',
    )
    settings = dict(
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=ITERS, val_interval=2),
        default_hooks=dict(
            checkpoint=checkpoint, logger=dict(type='LoggerHook', interval=1)
        ),
        log_processor=dict(by_epoch=False),
        custom_hooks=[dict(type='IterationSeedHook'), dict(type='ToyPictures')],
        visualizer=dict(
            type='Visualizer',
            vis_backends=[dict(type='LocalVisBackend')],
            name='visualizer',
        ),
        randomness=dict(seed=3),
        custom_imports=dict(imports=['tests.toy_run', 'tests.faults.toys']),
    )
    return {**settings, **changes}


def _signals(workers: int = 0, seconds: float = 0.0, **changes) -> dict:
    loader = dict(
        batch_size=4,
        num_workers=workers,
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='SlowSignals', seconds=seconds),
        sampler=dict(type='InfiniteSampler', shuffle=True),
    )
    return {**loader, **changes}


def supervised(folder: Path, **options) -> dict:
    """One weight; loaded at random; the metric grows, so each validation is a best."""
    loader = _signals(**options)
    val = _signals(**options, sampler=dict(type='DefaultSampler', shuffle=False))
    train = dict(loader, dataset=dict(type='ToyDataset'))
    val = dict(val, dataset=dict(type='ToyDataset'))
    if options:
        slow = dict(type='SlowNumbers', seconds=options.get('seconds', 0.0))
        train['dataset'] = val['dataset'] = slow
    return toy_config(
        folder,
        **_iterations(train_dataloader=train, val_dataloader=val, test_dataloader=val),
    )


def without_norm(folder: Path) -> dict:
    """The same without a layer that sees the batch, so that any share of it will do."""
    return supervised(folder) | dict(model=dict(type='ToyModel', norm='none'))


@DATASETS.register_module()
class SlowNumbers(torch.utils.data.Dataset):
    """Eight numbers, again and again, that take a while to load."""

    metainfo = {'classes': ('number',)}

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> dict:
        time.sleep(self.seconds)
        return {'x': torch.tensor([index % 8 / 8])}


def epochs(folder: Path, **options) -> dict:
    """The same by epochs of four iterations, two of them."""
    config = supervised(folder, **options)
    config['train_cfg'] = dict(by_epoch=True, max_epochs=2, val_interval=1)
    config['train_dataloader']['sampler'] = dict(type='DefaultSampler', shuffle=True)
    config['train_dataloader']['batch_size'] = 2
    checkpoint = dict(config['default_hooks']['checkpoint'], by_epoch=True, interval=1)
    config['default_hooks']['checkpoint'] = checkpoint
    config['log_processor'] = dict(by_epoch=True)
    return config


def semi(folder: Path, **options) -> dict:
    """A student and its teacher, which begins after two iterations."""
    loader = _signals(**options)
    val = _signals(**options, sampler=dict(type='DefaultSampler', shuffle=False))
    hooks = [
        dict(type='MixTeacherHook', momentum=0.1, burn_in=3, distance_interval=0),
        dict(type='IterationSeedHook'),
        dict(type='ToyPictures'),
    ]
    return toy_config(
        folder,
        **_iterations(
            model=dict(type='SlowToyTeacher', dropout=0.5),
            train_dataloader=loader,
            val_dataloader=val,
            test_dataloader=val,
            custom_hooks=hooks,
        ),
    )


def domain_adaptation(folder: Path) -> dict:
    """An SSD of 64 px, its teacher and the discriminator."""
    model = domain.config(
        'SSD',
        'LossMix',
        mixers=domain.mixers(),
        semi_train_cfg=dict(cls_pseudo_thr=0.1, disc_ramp_up=2, lambda_disc=1.0),
    )
    hooks = [
        dict(type='MixTeacherHook', momentum=0.1, burn_in=3, distance_interval=0),
        dict(type='IterationSeedHook'),
        dict(type='DomainTeacherHook'),
        dict(type='ToyPictures'),
    ]
    val = domain_runs.loader(4, 'DefaultSampler', branches=False)
    config = _iterations(
        model=model,
        train_dataloader=domain_runs.loader(2, 'InfiniteSampler'),
        val_dataloader=val,
        val_cfg=dict(type='TeacherStudentValLoop'),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=1e-3, momentum=0.9),
            clip_grad=dict(max_norm=10),
        ),
        val_evaluator=dict(type='ToyConfidence'),
        test_dataloader=val,
        test_cfg=dict(),
        test_evaluator=dict(type='ToyConfidence'),
        custom_hooks=hooks,
        custom_imports=dict(
            imports=[
                'tests.engine.hooks.teachers.test_mixed_domain_runs',
                'tests.faults.toys',
            ]
        ),
    )
    config['default_hooks']['checkpoint']['save_best'] = 'current/score'
    return toy_config(folder, **config)


KINDS = {
    'supervised': supervised,
    'epochs': epochs,
    'semi': semi,
    'domain': domain_adaptation,
}
