"""Checkpoints of a burn-in: their student predicts, wherever they are evaluated."""

from __future__ import annotations

import pytest
import torch
from mmdet.models import DetTTAModel
from mmdet.registry import MODELS

from mmmix.apis.configs.config_reading import read_config
from mmmix.engine import MixTeacherHook
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loading import load_detector
from tests.engine.hooks.teachers.teacher_steps import run
from tests.engine.teacher_toy import ToyTeacherModel, stub_runner

CONFIG = 'mmmix::demo/ssd_digits-semi_mean-teacher.py'
CASES = [
    (True, 'teacher', 'teacher'),
    (False, 'teacher', 'student'),
    (False, 'student', 'student'),
    (None, 'teacher', 'teacher'),
]


def meta(started):
    return {} if started is None else dict(teacher_started=started)


@pytest.mark.parametrize('augmented', [False, True])
@pytest.mark.parametrize(('started', 'chosen', 'predicts'), CASES)
def test_in_a_test(started, chosen, predicts, augmented):
    model = ToyTeacherModel(predict_on=chosen)
    outer = DetTTAModel(module=model) if augmented else model
    hook, runner = MixTeacherHook(momentum=0.1), stub_runner(outer)
    checkpoint = dict(state_dict=model.state_dict(), meta=meta(started))
    hook.after_load_checkpoint(runner, checkpoint)
    hook.before_test(runner)
    assert model.semi_test_cfg['predict_on'] == predicts


@pytest.mark.parametrize(('done', 'predicts'), [(1, 'student'), (2, 'teacher')])
@pytest.mark.parametrize('resumed', [False, True])
def test_after_a_training_in_the_same_process(done, predicts, resumed):
    """What the training came to counts, not the checkpoint that it began from."""
    model = ToyTeacherModel(predict_on='teacher').train()
    hook, runner = MixTeacherHook(momentum=0.1, burn_in=2), stub_runner(model)
    if resumed:
        checkpoint = dict(state_dict=model.state_dict(), meta=meta(False))
        hook.after_load_checkpoint(runner, checkpoint)
    hook.before_train(runner)
    run(hook, runner, done)
    hook.before_test(runner)
    assert model.semi_test_cfg['predict_on'] == predicts


def test_in_a_study(tmp_path):
    model = MODELS.build(read_config(CONFIG).model)
    names = dict(dataset_meta=dict(classes=tuple('abcdefghij')))
    for started, chosen, predicts in CASES:
        path = str(tmp_path / f'{started}.pth')
        content = dict(state_dict=model.state_dict(), meta=meta(started) | names)
        torch.save(content, path)
        options = {'model.semi_test_cfg.predict_on': chosen}
        found = load_detector(ModelSpec('m', CONFIG, path), cfg_options=options)
        assert found.model.semi_test_cfg['predict_on'] == predicts
