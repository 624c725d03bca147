"""What MixTeacherHook tells of a run: progress, the distance, warnings."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import nn

from mmmix.engine import MixTeacherHook
from tests.engine.hooks.teachers.teacher_steps import equal, run, started
from tests.engine.teacher_toy import Net, stub_runner

pytestmark = pytest.mark.usefixtures('seeded')


@pytest.fixture
def warned(monkeypatch):
    """The warnings given."""
    texts = []

    def print_log(text, logger=None, level=None):
        assert level == logging.WARNING
        texts.append(text)

    for name in ('mix_teacher_hook', 'pseudo_label_watch'):
        monkeypatch.setattr(f'mmmix.engine.hooks.teachers.{name}.print_log', print_log)
    return texts


def test_progress_is_told_before_every_iteration():
    """And before the first of them, where a resumed run may validate."""
    hook, runner, model = started(burn_in=2)
    runner.iter = 1
    model.told.clear()
    hook.before_train(runner)
    assert model.told.pop() == (1, 2)
    run(hook, runner, 3)
    assert [(p.iteration, p.burn_in) for p in model.told] == [(1, 2), (2, 2), (3, 2)]
    assert [p.burning_in for p in model.told] == [True, False, False]
    assert [p.adapting_for for p in model.told] == [0, 0, 1]


def test_a_model_without_progress_has_no_burn_in():
    """As mmdet's SoftTeacher, which this hook may serve too."""
    model = nn.Module()
    model.student, model.teacher = Net(), Net()
    _, _, model = started(2, model)
    assert not equal(model.teacher, model.student)
    with pytest.raises(TypeError, match='burn_in=2; use MixTeacher'):
        MixTeacherHook(burn_in=2).before_train(stub_runner(model))
    del model.teacher
    with pytest.raises(TypeError, match='a model with a teacher'):
        MixTeacherHook().before_train(stub_runner(model))


def test_the_distance_is_logged_since_the_teacher_is_there():
    hook, runner, model = started(burn_in=5, distance_interval=3)
    run(hook, runner, 4)
    assert runner.scalars == {}
    run(hook, runner, 2)
    pairs = zip(model.teacher.parameters(), model.student.parameters())
    apart = sum(((t - s) ** 2).sum() for t, s in pairs) ** 0.5
    size = sum((s**2).sum() for s in model.student.parameters()) ** 0.5
    want = (apart / size).item()
    assert want > 0.1
    assert runner.scalars == {'train/teacher_distance': pytest.approx(want, rel=1e-5)}
    quiet, runner, _ = started(6, distance_interval=0)
    assert runner.scalars == {}


@pytest.mark.parametrize(
    ('counts', 'warnings'),
    [
        ([0] * 9, 2),
        ([0] * 3, 0),
        ([0, 0, 0, 0.01] * 3, 0),
        ([1, 1, 1, 1, 0, 0, 0, 0], 1),
        ([None] * 9, 0),
    ],
)
def test_a_teacher_that_finds_nothing_is_warned_about(counts, warnings, warned):
    hook, runner, _ = started(burn_in=2, empty_patience=4)
    run(hook, runner, 2, dict(pseudo_count=torch.tensor(0.0)))
    for count in counts:
        outputs = {} if count is None else dict(pseudo_count=torch.tensor(count))
        run(hook, runner, 1, outputs)
    assert len(warned) == warnings
    if warnings == 2:
        assert (
            'No pseudo-label survived in the last 4 iterations (until 10)' in warned[1]
        )


def test_no_patience_no_warning(warned):
    hook, runner, _ = started(empty_patience=0)
    run(hook, runner, 5, dict(pseudo_count=torch.tensor(0.0)))
    assert warned == []


def test_a_burn_in_without_end_is_warned_about(warned):
    started(burn_in=100)
    assert warned == []
    started(burn_in=101)
    assert 'ends after 100 iterations, before burn_in=101' in warned[0]
