"""A student and a teacher of a few numbers, and runs that train them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmmix.apis.checkpoints.loading import install_safe_loading


class Net(nn.Module):
    """Convolution, BatchNorm with its two float and one integer buffers, dropout."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 1)
        self.norm = nn.BatchNorm1d(2)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(self.norm(self.conv(x)))


@MODELS.register_module()
class ToyTeacherModel(BaseModel):
    """The student learns 2 x, and after burn-in also what the teacher says."""

    def __init__(
        self,
        dropout: float = 0.0,
        pseudo_count: float = 1.0,
        predict_on: str | None = None,
    ) -> None:
        super().__init__()
        if predict_on is not None:
            self.semi_test_cfg = dict(predict_on=predict_on)
        self.student, self.teacher = Net(dropout), Net(dropout)
        self.teacher.requires_grad_(False)
        self.pseudo_count = torch.tensor(pseudo_count)
        self.told = []
        self.teacher_modes = []

    def set_progress(self, progress):
        self.told.append(progress)
        self.progress = progress

    def forward(self, x, mode='tensor'):
        y = self.student(x)
        losses = dict(loss_sup=((y - 2 * x) ** 2).mean())
        self.teacher_modes.append([m.training for m in self.teacher.modules()])
        if not self.told[-1].burning_in:
            losses['loss_unsup'] = ((y - self.teacher(x)) ** 2).mean()
            losses['pseudo_count'] = self.pseudo_count
        return losses


@DATASETS.register_module()
class ToySignals(torch.utils.data.Dataset):
    """Sixteen fixed random signals; a list remembers which were loaded."""

    metainfo = {}

    def __init__(self):
        self.signals = torch.randn(16, 1, 4, generator=torch.Generator().manual_seed(0))
        self.loaded = []

    def __len__(self):
        return len(self.signals)

    def __getitem__(self, index):
        self.loaded.append(int(index))
        return dict(x=self.signals[index])


def make_runner(folder, hooks, iters=8, model=None, optim=None, **changes):
    """A Runner that saves a checkpoint after every iteration."""
    loader = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToySignals'),
        sampler=dict(type='InfiniteSampler', shuffle=True),
    )
    settings = dict(
        model={'type': 'ToyTeacherModel', **(model or {})},
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=iters),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9), **(optim or {})
        ),
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False),
            logger=dict(type='LoggerHook', interval=1),
        ),
        log_processor=dict(by_epoch=False),
        custom_hooks=hooks,
        randomness=dict(seed=3),
        default_scope='mmdet',
        # Runs of one name in one second would share their counters and scores.
        experiment_name='_'.join(Path(folder).parts[-3:]),
    )
    return Runner(**{**settings, **changes})


def train(folder, hooks, **settings):
    """Run to the end; returns the Runner."""
    runner = make_runner(folder, hooks, **settings)
    with install_safe_loading():
        runner.train()
    return runner


def saved(folder, iteration, key='teacher'):
    """The teacher's (or student's) tensors in a checkpoint of a run."""
    path = Path(folder) / f'iter_{iteration}.pth'
    state = torch.load(path, weights_only=False)['state_dict']
    return {n: t for n, t in state.items() if n.startswith(f'{key}.')}


def stub_runner(model, per_step=1, max_iters=100):
    """What the hook reads of a Runner; ``iter`` is the test's to count."""

    class Wrapper:
        _accumulative_counts = per_step

        def should_update(self):
            done = runner.iter + 1
            return done % per_step == 0 or done == max_iters

    runner = SimpleNamespace(
        model=model,
        hooks=[],
        iter=0,
        max_iters=max_iters,
        train_dataloader=SimpleNamespace(sampler=None, dataset=None),
        optim_wrapper=Wrapper(),
        message_hub=SimpleNamespace(
            scalars={},
            update_scalar=lambda k, v: runner.scalars.update({k: float(v)}),
            get_info=lambda key: None,
            update_info=lambda key, value: None,
        ),
        scalars={},
        logger=SimpleNamespace(info=lambda text: runner.lines.append(text)),
        lines=[],
    )
    return runner
