"""A poisoned batch does not end a training, in either phase."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.engine import SkipNonFiniteOptimWrapper
from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import domain, semi

PHASES = dict(warm_up=domain.WARM_UP, adaptation=TeacherProgress(7, burn_in=3))
FLAT = InstanceData(
    bboxes=torch.tensor([[30.0, 20.0, 30.0, 60.0]]), labels=torch.tensor([3])
)


def nan_source(inputs, samples):
    inputs['sup'][0] = float('nan')


def nan_target(inputs, samples):
    inputs['unsup_student'][1] = float('nan')


def nan_pixel(inputs, samples):
    inputs['sup'][0, 0, 5, 5] = float('inf')


def nan_teacher(inputs, samples):
    inputs['unsup_teacher'][0] = float('nan')


def no_boxes(inputs, samples):
    for sample in samples['sup']:
        sample.gt_instances = semi.objects(0, 0)


def flat_box(inputs, samples):
    samples['sup'][0].gt_instances = FLAT.new()


# poison -> whether the step is left out; None where both will do
POISONS = {
    nan_source: dict(warm_up=True, adaptation=True),
    nan_target: dict(warm_up=True, adaptation=True),
    nan_pixel: dict(warm_up=True, adaptation=True),
    nan_teacher: dict(warm_up=False, adaptation=False),
    no_boxes: dict(warm_up=False, adaptation=False),
    flat_box: dict(warm_up=None, adaptation=None),
}


def train_step(model, wrapper, poison=None):
    """A step on a batch for which the teacher really predicts."""
    inputs, samples = semi.batch(domain.SOURCE, 2)
    if poison is not None:
        poison(inputs, samples)
    with wrapper.optim_context(model):
        losses = model.loss(inputs, samples)
    loss, _ = model.parse_losses(losses)
    wrapper.update_params(loss)


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.fixture(scope='module', params=list(semi.DETECTORS))
def teacher(request):
    model = copy.deepcopy(
        domain.configure(request.param, 'LossMix', domain.mixers(), cls_pseudo_thr=0.05)
    )
    assert 'predict' not in model.teacher.__dict__
    return model


@pytest.mark.parametrize('phase', PHASES)
def test_poisoned_batches(teacher, phase):
    model = teacher.train()
    model.progress = PHASES[phase]
    optimizer = torch.optim.SGD(model.student.parameters(), lr=1e-4)
    wrapper = SkipNonFiniteOptimWrapper(optimizer=optimizer, max_skipped=2)
    for poison, skipped in POISONS.items():
        before = state(model)
        train_step(model, wrapper, poison)
        after = state(model)
        assert skipped[phase] in (wrapper.skipped, None), poison.__name__
        assert all(value.isfinite().all() for value in after.values())
        same = all(torch.equal(before[name], after[name]) for name in after)
        assert same == wrapper.skipped
        train_step(model, wrapper)
        assert not wrapper.skipped
