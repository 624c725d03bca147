"""A detector without a network on eight small pictures, to fill the page of a run."""

from __future__ import annotations

import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData

import mmmix  # noqa: F401
from tests.configs.tiny_data import write_voc

CLASSES = ('zero', 'one', 'two', 'three')


@MODELS.register_module()
class ToyDetector(BaseModel):
    """Its loss is the mean of the mixed pixels; it finds objects a little beside."""

    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs, data_samples, mode='tensor'):
        if mode == 'loss':
            return dict(loss_cls=self.weight * inputs.mean(), loss_bbox=self.weight)
        for k, sample in enumerate(data_samples):
            truth = sample.gt_instances
            sample.pred_instances = InstanceData(
                bboxes=truth.bboxes + 3,
                labels=truth.labels,
                scores=torch.full((len(truth),), 0.9 - 0.1 * k),
            )
        return data_samples


@HOOKS.register_module()
class StopAt(Hook):
    """Ends a run as a kill would, after the page of this iteration was written."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


def toy_run(folder, stop_at=None, resume=False, mix=True, report=None, **changes):
    """A run of twelve iterations with a validation after each fourth."""
    data = folder / 'data'
    if not data.is_dir():
        write_voc(data, {'train': 'a', 'val': 'b'}, CLASSES)
    dataset = dict(
        type='XMLDataset',
        data_root=f'{data}/',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=CLASSES),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs'),
        ],
    )
    loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler'))
    mixer = dict(type='MixBatch', ratio=dict(type='Beta', alpha=1.0), prob=0.75)
    config = dict(
        default_scope='mmdet',
        experiment_name='toy_now',
        work_dir=str(folder / 'work'),
        model=dict(
            type='ToyDetector',
            data_preprocessor=dict(
                type='DetDataPreprocessor', batch_augments=[mixer] if mix else None
            ),
        ),
        train_dataloader=dict(
            loader, dataset=dict(dataset, ann_file='ImageSets/Main/train.txt')
        ),
        val_dataloader=dict(
            loader,
            dataset=dict(dataset, ann_file='ImageSets/Main/val.txt', test_mode=True),
        ),
        val_evaluator=dict(type='VOCMetric', eval_mode='area'),
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=12, val_interval=4),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=12)
        ],
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1),
            report={'type': 'RunReportHook', 'interval': 2, **(report or {})},
        ),
        custom_hooks=[
            dict(type='MixPreviewHook'),
            dict(type='IterationSeedHook'),
            *([dict(type='StopAt', iteration=stop_at)] if stop_at else []),
        ],
        randomness=dict(seed=0),
        resume=resume,
        log_level='ERROR',
    )
    runner = Runner.from_cfg(Config({**config, **changes}))
    runner.train()
    return runner
