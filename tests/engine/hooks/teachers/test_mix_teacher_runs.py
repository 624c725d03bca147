"""MixTeacherHook in runs: burn-in, checkpoints, resumes, logs."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

import mmmix
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.engine import MixTeacherHook
from mmmix.models.teachers.mix_teacher import MixTeacher
from tests.engine.teacher_toy import make_runner, saved, stub_runner, train

K, M, ITERS = 3, 0.1, 7


def hooks(**settings):
    teacher = dict(type='MixTeacherHook', momentum=M, burn_in=K, distance_interval=2)
    return [{**teacher, **settings}, dict(type='IterationSeedHook')]


def assert_equal(got, want):
    assert got.keys() == want.keys()
    assert all(torch.equal(got[name], want[name]) for name in want)


def as_teacher(state):
    return {name.replace('student.', 'teacher.'): t for name, t in state.items()}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A run that nothing stopped, with dropout; its folder and its model."""
    folder = tmp_path_factory.mktemp('whole')
    runner = train(folder, hooks(), iters=ITERS, model=dict(dropout=0.5))
    return folder, runner.model


def test_burn_in_then_average(whole):
    """Identity 27: untouched before K, the student at K, the average after."""
    folder, model = whole
    assert_equal(saved(folder, 2), saved(folder, 1))
    assert not torch.equal(
        saved(folder, 2)['teacher.conv.weight'],
        saved(folder, 2, 'student')['student.conv.weight'],
    )
    assert saved(folder, 2)['teacher.norm.num_batches_tracked'].item() == 0
    assert_equal(saved(folder, K), as_teacher(saved(folder, K, 'student')))
    for done in range(K + 1, ITERS + 1):
        before = saved(folder, done - 1)
        student = as_teacher(saved(folder, done, 'student'))
        for name, got in saved(folder, done).items():
            if '.norm.running' in name or 'num_batches' in name:
                assert torch.equal(got, student[name])
            else:
                want = (1 - M) * before[name] + M * student[name]
                torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-7)
    told = [p.burning_in for p in model.told[1:]]  # without what came before them
    assert told == [True] * K + [False] * (ITERS - K)
    assert not any(flag for modes in model.teacher_modes for flag in modes)


@pytest.mark.parametrize(
    ('stop', 'settings'),
    [(K - 1, {}), (K, {}), (K + 1, {}), (K + 1, dict(keep_loaded_teacher=False))],
)
def test_resume_around_the_end_of_burn_in(whole, tmp_path, stop, settings):
    """The same teacher and student as without the stop, bit by bit."""
    folder, model = whole
    resumed = train(
        tmp_path,
        hooks(**settings),
        iters=ITERS,
        model=dict(dropout=0.5),
        resume=True,
        load_from=str(folder / f'iter_{stop}.pth'),
    ).model
    assert_equal(resumed.state_dict(), model.state_dict())
    assert resumed.told[1:] == model.told[1 + stop :]
    assert resumed.told[0].iteration == stop


def test_a_checkpoint_says_whether_its_teacher_has_started(whole):
    folder, _ = whole
    started = {}
    for done in (K - 1, K, ITERS):
        meta = torch.load(folder / f'iter_{done}.pth', weights_only=False)['meta']
        started[done] = meta['teacher_started']
    assert started == {K - 1: False, K: True, ITERS: True}


@pytest.mark.parametrize(
    ('stop', 'settings', 'kept'),
    [
        (ITERS, dict(burn_in=0), True),
        (ITERS, dict(burn_in=0, keep_loaded_teacher=False), False),
        (K - 1, dict(burn_in=0), False),
    ],
)
def test_a_second_stage_from_a_checkpoint(whole, tmp_path, stop, settings, kept):
    """``load_from`` keeps a teacher that had started, and only that."""
    path = whole[0] / f'iter_{stop}.pth'
    runner = start(tmp_path, hooks(**settings), load_from=str(path))
    want = saved(whole[0], stop)
    if not kept:
        want = as_teacher(saved(whole[0], stop, 'student'))
    assert_equal(teacher_of(runner), want)


def start(folder, custom_hooks, **settings):
    """A Runner whose training ends before its first iteration."""
    runner = make_runner(folder, custom_hooks, iters=ITERS, **settings)
    with install_safe_loading():
        runner.load_or_resume()
    runner.call_hook('before_train')
    return runner


def teacher_of(runner):
    state = runner.model.state_dict()
    return {n: t for n, t in state.items() if n.startswith('teacher.')}


def test_without_a_checkpoint_the_teacher_starts_as_the_student(tmp_path):
    runner = start(tmp_path, hooks(burn_in=0))
    state = runner.model.state_dict()
    student = {n: t for n, t in state.items() if n.startswith('student.')}
    assert_equal(teacher_of(runner), as_teacher(student))


def test_a_resume_with_a_shorter_burn_in_starts_the_teacher(whole, tmp_path):
    resumed = train(
        tmp_path,
        hooks(burn_in=1),
        iters=3,
        resume=True,
        load_from=str(whole[0] / f'iter_{K - 1}.pth'),
    ).model
    student = as_teacher(saved(whole[0], K - 1, 'student'))
    after = as_teacher(saved(tmp_path, K, 'student'))
    want = student['teacher.conv.weight'].lerp(after['teacher.conv.weight'], M)
    torch.testing.assert_close(resumed.teacher.conv.weight.data, want)


def test_what_the_log_shows(whole):
    """Pseudo-labels every iteration; the distance from K on, at its interval."""
    folder, _ = whole
    (path,) = folder.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    counts = {line['step']: line.get('pseudo_count') for line in lines}
    assert [step for step, count in counts.items() if count == 1] == [4, 5, 6, 7]
    logged = {line['step']: line.get('teacher_distance') for line in lines}
    assert logged[3] is None
    for done in (4, 6):
        student = as_teacher(saved(folder, done, 'student'))
        names = [n for n in student if 'running' not in n and 'num_b' not in n]
        teacher = saved(folder, done)
        apart = sum(((teacher[n] - student[n]) ** 2).sum() for n in names)
        size = sum((student[n] ** 2).sum() for n in names)
        want = (apart / size).sqrt().item()
        assert logged[done] == pytest.approx(want, rel=1e-4)
        assert want > 0


def test_gradient_accumulation(tmp_path):
    """Steps after 2 and 4 iterations and at the end, also resumed after a step."""
    optim = dict(accumulative_counts=2)
    model = train(tmp_path / 'a', hooks(burn_in=0), optim=optim, iters=5).model
    teachers = [saved(tmp_path / 'a', done) for done in range(1, 6)]
    weights = [teacher['teacher.conv.weight'] for teacher in teachers]
    moved = [not torch.equal(a, b) for a, b in zip(weights, weights[1:])]
    assert moved == [True, False, True, True]
    resumed = train(
        tmp_path / 'b',
        hooks(burn_in=0),
        optim=optim,
        iters=5,
        resume=True,
        load_from=str(tmp_path / 'a/iter_4.pth'),
    ).model
    assert_equal(resumed.state_dict(), model.state_dict())


def test_a_real_detector():
    """MixTeacher with an SSD that trains its BatchNorm, through the hook alone."""
    cfg = Config.fromfile(mmmix.config_path('demo/ssd_digits.py'))
    preprocessor = cfg.model.data_preprocessor
    model = MODELS.build(
        dict(
            type='MixTeacher',
            detector=cfg.model,
            data_preprocessor=dict(
                type='MultiBranchDataPreprocessor', data_preprocessor=preprocessor
            ),
        )
    )
    assert isinstance(model, MixTeacher)
    runner = stub_runner(model)
    hook = MixTeacherHook(momentum=M, burn_in=1)
    hook.before_train(runner)
    before = copy.deepcopy(model.teacher.state_dict())
    for runner.iter in range(3):
        model.train()
        hook.before_train_iter(runner, runner.iter)
        assert model.progress == (runner.iter, 1)
        assert not any(module.training for module in model.teacher.modules())
        model.student.backbone(torch.randn(2, 3, 64, 64))
        with torch.no_grad():
            for parameter in model.student.parameters():
                parameter.add_(torch.randn_like(parameter))
        hook.after_train_iter(runner, runner.iter)
        student, teacher = model.student.state_dict(), model.teacher.state_dict()
        if runner.iter == 0:
            assert_equal(teacher, student)
            assert not torch.equal(
                before['backbone.conv1.weight'], teacher['backbone.conv1.weight']
            )
        else:
            learnt = {name for name, _ in model.teacher.named_parameters()}
            for name, value in teacher.items():
                want = student[name]
                if name in learnt:
                    want = (1 - M) * before[name] + M * want
                torch.testing.assert_close(value, want, rtol=1e-5, atol=1e-6)
        before = copy.deepcopy(teacher)
    assert teacher['backbone.bn1.num_batches_tracked'].item() == 3
