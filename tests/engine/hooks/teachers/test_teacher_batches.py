"""A batch without the branches that a teacher needs is refused with what to write."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.data_preprocessors import MultiBranchDataPreprocessor
from mmengine.registry import init_default_scope

from mmmix.engine import MixTeacherHook
from mmmix.models.teachers import OptionalBranchDataPreprocessor
from tests.engine.teacher_toy import ToyTeacherModel, stub_runner
from tests.models.teachers import semi

IMAGE = torch.zeros(3, 32, 32)
WITHOUT = dict(
    inputs=dict(sup=[IMAGE, IMAGE], unsup_teacher=[None] * 2),
    data_samples=dict(sup=[semi.sample(), semi.sample()], unsup_teacher=[None] * 2),
)
WHOLE = dict(
    inputs=dict(sup=[IMAGE, None], unsup_teacher=[None, IMAGE]),
    data_samples=dict(sup=[semi.sample(), None], unsup_teacher=[None, semi.sample()]),
)
PLAIN = dict(inputs=[IMAGE], data_samples=[semi.sample()])


def begin(batch, kind=MultiBranchDataPreprocessor):
    """The first iteration, up to what the preprocessor makes of its batch."""
    init_default_scope('mmdet')
    model = ToyTeacherModel()
    model.data_preprocessor = kind(dict(type='DetDataPreprocessor'))
    hook, runner = MixTeacherHook(), stub_runner(model)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)
    return set(model.data_preprocessor(batch, True)['inputs'])


def test_a_batch_with_all_branches_passes():
    assert begin(WHOLE) == {'sup', 'unsup_teacher'}


def test_a_pipeline_without_branches_is_told():
    with pytest.raises(ValueError, match=r'end their pipelines with MultiBranch\('):
        begin(PLAIN)


def test_a_batch_without_images_of_a_branch_is_told():
    message = r"no image of the branches \['unsup_teacher'\].*MixSourceSampler"
    with pytest.raises(ValueError, match=message):
        begin(WITHOUT)
    assert begin(WITHOUT, OptionalBranchDataPreprocessor) == {'sup'}
