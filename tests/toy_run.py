"""A model and data of a few numbers, to run the tools in fractions of a second.

A config imports it by ``custom_imports=dict(imports=['tests.toy_run'])``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from mmdet.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import nn


@MODELS.register_module()
class ToyModel(BaseModel):
    """Learns y = 2 x; a loss that depends on a weight and a normalised weight."""

    def __init__(self, norm: str = 'BN', init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.linear = nn.Linear(1, 1)
        norms = {'SyncBN': nn.SyncBatchNorm, 'BN': nn.BatchNorm1d}
        self.norm = nn.Identity() if norm == 'none' else norms[norm](1)

    def forward(self, x: torch.Tensor, mode: str = 'tensor'):
        y = self.linear(x)
        if mode == 'loss':
            return {'loss': ((y - 2 * x) ** 2).mean() + self.norm(y).mean()}
        return [BaseDataElement(y=float(value)) for value in y]


@DATASETS.register_module()
class ToyDataset(torch.utils.data.Dataset):
    """Eight numbers."""

    metainfo = {'classes': ('number',)}

    def __init__(self, data_root: str = '') -> None:
        self.data_root = data_root

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict:
        return {'x': torch.tensor([index / 8])}


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """The mean prediction."""

    def process(self, data_batch, data_samples) -> None:
        self.results.extend(sample['y'] for sample in data_samples)

    def compute_metrics(self, results) -> dict:
        return {'mean': sum(results) / len(results), 'count': len(results)}


@HOOKS.register_module()
class ToyWatch(Hook):
    """Writes down what each process of a run saw; can raise at an iteration."""

    def __init__(self, folder: str, stop_at: int | None = None, stop_by: str = ''):
        self.folder, self.stop_at, self.stop_by = Path(folder), stop_at, stop_by

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.stop_at:
            raise {'ctrl-c': KeyboardInterrupt, 'error': ArithmeticError}[self.stop_by]

    def after_train(self, runner):
        model = getattr(runner.model, 'module', runner.model)
        seen = {
            'wrapper': type(runner.model).__name__,
            'norm': type(model.norm).__name__,
            'weight': model.linear.weight.item(),
            'iter': runner.iter,
            'lr': runner.optim_wrapper.get_lr()['lr'],
        }
        rank = os.environ.get('RANK', '0')
        (self.folder / f'rank{rank}.json').write_text(json.dumps(seen))


def toy_config(folder: str | Path, **changes) -> dict:
    """A config that trains two epochs of four iterations and validates."""
    loader = dict(
        batch_size=2,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToyDataset'),
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    config = dict(
        default_scope='mmdet',
        custom_imports=dict(imports=['tests.toy_run']),
        model=dict(type='ToyModel'),
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        val_cfg=dict(),
        test_cfg=dict(),
        val_evaluator=dict(type='ToyMetric'),
        test_evaluator=dict(type='ToyMetric'),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=[dict(type='MultiStepLR', milestones=[1], gamma=0.1)],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[dict(type='ToyWatch', folder=str(folder))],
    )
    return {**config, **changes}


def write_config(folder: Path, name: str = 'toy.py', **changes) -> str:
    """Write a toy config to a file and return its path."""
    lines = [f'{k} = {v!r}' for k, v in toy_config(folder, **changes).items()]
    path = folder / name
    path.write_text('\n'.join(lines) + '\n')
    return str(path)
