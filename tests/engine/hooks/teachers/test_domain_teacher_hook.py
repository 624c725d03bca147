"""DomainTeacherHook: whose metrics count, and a fresh optimizer state."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook, RuntimeInfoHook
from mmengine.registry import HOOKS as ENGINE_HOOKS
from torch import nn

from mmmix.engine import DomainTeacherHook
from mmmix.models.teachers import TeacherProgress

METRICS = {'teacher/voc/mAP': 0.1, 'student/voc/mAP': 0.4, 'student/voc/AP50': 0.5}


def runner_of(done, burn_in, predict_on='teacher'):
    model = nn.Module()
    model.progress = None if burn_in is None else TeacherProgress(done - 1, burn_in)
    model.semi_test_cfg = dict(predict_on=predict_on)
    model.discriminator, model.student = nn.Linear(1, 1), nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    wrapper = SimpleNamespace(optimizer=optimizer)
    return SimpleNamespace(model=model, iter=done, optim_wrapper=wrapper)


@pytest.mark.parametrize(
    ('done', 'burn_in', 'predict_on', 'current'),
    [
        (3, 4, 'teacher', {'current/voc/mAP': 0.4, 'current/voc/AP50': 0.5}),
        (4, 4, 'student', {'current/voc/mAP': 0.1}),
        (9, 4, 'student', {'current/voc/mAP': 0.1}),
        (2, 0, 'teacher', {'current/voc/mAP': 0.1}),
        (0, None, 'teacher', {'current/voc/mAP': 0.1}),
        (0, None, 'student', {'current/voc/mAP': 0.4, 'current/voc/AP50': 0.5}),
    ],
)
def test_metrics_of_the_model_that_counts(done, burn_in, predict_on, current):
    metrics = dict(METRICS)
    DomainTeacherHook().after_val_epoch(runner_of(done, burn_in, predict_on), metrics)
    assert metrics == METRICS | current


def test_metrics_of_another_loop():
    with pytest.raises(KeyError, match='no metric teacher/.*TeacherStudentValLoop'):
        DomainTeacherHook().after_val_epoch(runner_of(5, 4), {'voc/mAP': 1.0})
    empty = {}
    DomainTeacherHook().after_val_epoch(runner_of(5, 4), empty)
    assert empty == {}


def test_it_comes_before_what_reads_metrics():
    ranks = [Hook.priority, RuntimeInfoHook.priority, DomainTeacherHook.priority]
    assert ranks == ['NORMAL', 'VERY_HIGH', 'HIGHEST']
    assert ENGINE_HOOKS.get('mmdet.DomainTeacherHook') is DomainTeacherHook


@pytest.mark.parametrize('done', [2, 3, 4])
def test_the_optimizer_forgets_the_discriminator_once(done):
    """After the last iteration of a warm-up of 3."""
    runner = runner_of(done - 1, burn_in=3)
    DomainTeacherHook().after_train_iter(runner, done - 1)
    state = runner.optim_wrapper.optimizer.state
    kept = all(p in state for p in runner.model.discriminator.parameters())
    assert kept == (done != 3)
    assert all(p in state for p in runner.model.student.parameters())
    runner.model.discriminator = None
    DomainTeacherHook().after_train_iter(runner, done - 1)


def test_it_needs_the_teachers_hook():
    with pytest.raises(TypeError, match='needs.*MixTeacherHook.*got Module'):
        DomainTeacherHook().after_train_iter(runner_of(0, None), 0)
