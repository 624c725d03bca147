"""Losses of terms that are no longer trained leave the log."""

from __future__ import annotations

import json

import pytest
import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.hooks import Hook
from mmengine.logging import MessageHub

from mmmix.engine.hooks.teachers.ended_losses import forget_ended
from tests.engine.teacher_toy import ToyTeacherModel, train

SWITCHED = 2


@MODELS.register_module()
class ToyPairs(ToyTeacherModel):
    """A toy with a term between two batches, which is switched off."""

    pairs = True

    def forward(self, x, mode='tensor'):
        losses = super().forward(x, mode)
        if self.pairs:
            losses['cross_loss'] = losses['loss_sup'].detach() + 1
        return losses


@HOOKS.register_module()
class SwitchPairs(Hook):
    """Switches the term off after some iterations, as MixScheduleHook does a mixer."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        runner.model.pairs = runner.iter < SWITCHED


def hooks():
    teacher = dict(type='MixTeacherHook', momentum=0.1, distance_interval=1)
    return [teacher, dict(type='SwitchPairs'), dict(type='IterationSeedHook')]


def logged(folder):
    (path,) = folder.glob('*/vis_data/scalars.json')
    return [set(json.loads(line)) for line in path.read_text().splitlines()]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ended')
    train(folder, hooks(), iters=4, model=dict(type='ToyPairs'))
    return folder


def test_the_log_has_a_term_as_long_as_it_is_trained(whole):
    lines = logged(whole)
    assert ['cross_loss' in line for line in lines] == [True, True, False, False]
    for line in lines:
        assert {'loss', 'loss_sup', 'loss_unsup', 'lr', 'teacher_distance'} <= line


def test_so_it_is_after_a_resume_in_between(whole, tmp_path):
    train(
        tmp_path,
        hooks(),
        iters=4,
        model=dict(type='ToyPairs'),
        resume=True,
        load_from=str(whole / f'iter_{SWITCHED}.pth'),
    )
    assert [line & {'cross_loss', 'loss_unsup'} for line in logged(tmp_path)] == [
        {'loss_unsup'},
        {'loss_unsup'},
    ]


@pytest.mark.parametrize('done', [2, 3, 4])
def test_losses_of_a_warm_up_leave_the_log(done):
    """In the first iteration of adaptation, after a warm-up of 3; or they repeat."""
    hub = MessageHub.get_instance(f'test_ended_losses_{done}')
    names = ['nst_loss_cls', 'disc_loss', 'disc_loss_source', 'mss_loss_cls', 'lr']
    for name in names:
        hub.update_scalar(f'train/{name}', torch.ones(()))
    warm_up = dict.fromkeys(['nst_loss_cls', 'disc_loss', 'mss_loss_cls'], 0.1)
    adaptation = dict(disc_loss_source=0.1, mss_loss_cls=0.1)
    forget_ended(hub, warm_up if done <= 3 else adaptation)
    scalars = set(hub.log_scalars)
    forget_ended(hub, warm_up if done < 3 else adaptation)
    gone = scalars - hub.log_scalars.keys()
    expected = {'train/nst_loss_cls', 'train/disc_loss'} if done == 3 else set()
    assert gone == expected
