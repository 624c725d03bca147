"""A training with views whose geometry is lost does not begin."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmmix.engine import MixTeacherHook
from tests.engine.teacher_toy import ToyTeacherModel, stub_runner

PACK = dict(type='PackDetInputs')


def views(*steps):
    """A data set whose student's view has these steps."""
    init_default_scope('mmdet')
    branch = dict(
        type='MultiBranch',
        branch_field=['unsup_teacher', 'unsup_student'],
        unsup_teacher=[PACK],
        unsup_student=[*steps, PACK],
    )
    return SimpleNamespace(pipeline=Compose([branch]))


@pytest.mark.parametrize('wrapped', [False, True])
def test_it_is_refused_before_the_first_iteration(wrapped):
    runner = stub_runner(ToyTeacherModel())
    dataset = views(dict(type='RandomApply', transforms=[dict(type='Expand')]))
    dataset = SimpleNamespace(datasets=[views(), dataset]) if wrapped else dataset
    runner.train_dataloader = SimpleNamespace(dataset=dataset, sampler=None)
    with pytest.raises(ValueError, match='unsup_student: Expand.*RecordedExpand'):
        MixTeacherHook().before_train(runner)
    runner.train_dataloader.dataset = views(dict(type='RecordedExpand'))
    MixTeacherHook().before_train(runner)
