"""Short runs whose validations give the scores of a list."""

from __future__ import annotations

from functools import partial

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from mmmix.apis.checkpoints.loading import install_safe_loading
from tests.engine.teacher_toy import make_runner


@METRICS.register_module()
class Scripted(BaseMetric):
    """Two scores a validation, from lists."""

    def __init__(self, up, down=(0.0,) * 9, prefix=None):
        super().__init__(prefix=prefix)
        self.scores = [dict(up=a, down=b) for a, b in zip(up, down)]

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return self.scores.pop(0)


def run(
    folder,
    kind='WholeCheckpointHook',
    up=(1, 3, 2, 4),
    down=(0.0,) * 9,
    prefix=None,
    burn_in=2,
    **changes,
):
    """Train eight iterations, validated and saved every second one."""
    settings = dict(
        type=kind,
        interval=2,
        by_epoch=False,
        max_keep_ckpts=2,
        save_best='up',
        rule='greater',
    )
    settings |= changes.pop('checkpoint', {})
    options = dict(
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=8, val_interval=2),
        model=dict(),
        val_cfg=dict(),
        val_dataloader=dict(
            batch_size=16,
            num_workers=0,
            collate_fn=dict(type='default_collate'),
            dataset=dict(type='ToySignals'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        val_evaluator=dict(
            type='Scripted', up=list(up), down=list(down), prefix=prefix
        ),
        default_hooks=dict(checkpoint=settings, logger=dict(type='LoggerHook')),
    )
    hooks = [
        dict(type='MixTeacherHook', momentum=0.1, burn_in=burn_in, distance_interval=0)
    ]
    runner = make_runner(folder, hooks, **{**options, **changes})
    runner.model.forward = partial(_forward, runner.model.forward)
    with install_safe_loading():
        runner.train()
    return runner


def _forward(forward, x, mode='tensor', **kwargs):
    return forward(x, mode=mode, **kwargs) if mode == 'loss' else [None] * len(x)


def files(folder):
    return sorted(path.name for path in folder.glob('*.pth'))
