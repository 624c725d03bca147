"""MixTeacherHook on its own: the average, buffers, steps, refusals."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.engine.hooks import MeanTeacherHook
from mmengine.model import MMDistributedDataParallel
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

from mmmix.apis.launching.launch import released
from mmmix.datasets.samplers import MixSourceSampler
from mmmix.engine import MixTeacherHook
from tests.engine.hooks.teachers.teacher_steps import M, equal, run, started, step
from tests.engine.teacher_toy import Net, ToyTeacherModel, stub_runner

pytestmark = pytest.mark.usefixtures('seeded')


# --- the average ------------------------------------------------------------


@pytest.mark.parametrize('buffers', ['copy', 'ema'])
def test_every_tensor_follows_its_formula(buffers):
    """Identity 26, over ten iterations, against float64 by name."""
    hook, runner, model = started(buffers=buffers)
    assert equal(model.teacher, model.student)
    want = {n: t.double() for n, t in model.teacher.state_dict().items()}
    for _ in range(10):
        run(hook, runner, 1)
        for name, value in model.student.state_dict().items():
            averaged = 'running' not in name or buffers == 'ema'
            if averaged and value.is_floating_point():
                want[name] = (1 - M) * want[name] + M * value.double()
            else:
                want[name] = value.double()
    for name, value in model.teacher.state_dict().items():
        torch.testing.assert_close(value.double(), want[name], rtol=1e-6, atol=1e-7)
    assert model.teacher.norm.num_batches_tracked.item() == 10
    assert model.teacher.norm.running_mean.abs().min() > 1e-3


def batchnorm_after(hook, iterations=10):
    """The teacher's and the student's BatchNorm after some iterations."""
    model = ToyTeacherModel()
    runner = stub_runner(model.train())
    hook.before_train(runner)
    run(hook, runner, iterations)
    return model.teacher.norm, model.student.norm


def test_mmdets_own_hook_leaves_batchnorm_behind():
    """The comparison that this hook exists for.

    By default mmdet's teacher keeps the statistics it was built with. With
    ``skip_buffer=False`` they follow, but not the count of batches.
    """
    teacher, student = batchnorm_after(MixTeacherHook(momentum=M))
    assert torch.equal(teacher.running_mean, student.running_mean)
    assert torch.equal(teacher.running_var, student.running_var)
    assert teacher.num_batches_tracked.item() == 10

    teacher, student = batchnorm_after(MeanTeacherHook(momentum=M))
    assert student.running_mean.abs().min() > 1e-3
    assert teacher.running_mean.tolist() == [0, 0]
    assert teacher.running_var.tolist() == [1, 1]
    assert teacher.num_batches_tracked.item() == 0

    stock = MeanTeacherHook(momentum=M, skip_buffer=False)
    teacher, student = batchnorm_after(stock)
    assert teacher.running_mean.abs().min() > 0
    assert teacher.num_batches_tracked.item() == 0


def test_momentum_one_makes_the_teacher_the_student():
    _, _, model = started(3, momentum=1.0)
    assert equal(model.teacher, model.student)


def test_warmup_of_one_is_the_mean_of_all_students():
    hook, runner, model = started(momentum=1e-6, warmup=1)
    students = [model.student.conv.weight.detach().double().clone()]
    for _ in range(6):
        run(hook, runner, 1)
        students.append(model.student.conv.weight.detach().double().clone())
    want = torch.stack(students).mean(0)
    got = model.teacher.conv.weight.double()
    torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-7)


def test_warmup_ends_at_the_momentum():
    hook = MixTeacherHook(momentum=0.1, warmup=2)
    got = [hook.momentum_at(j) for j in (1, 2, 8, 17, 18, 19, 1000)]
    assert got == [2 / 3, 0.5, 0.2, 2 / 19, 0.1, 0.1, 0.1]


@pytest.mark.parametrize('burn_in', [0, 4, 6])
def test_gradient_accumulation_averages_once_a_step(burn_in):
    """Steps after iterations 4, 8, 12; the warm-up counts those since K."""
    hook, runner, model = started(burn_in=burn_in, per_step=4, warmup=1)
    run(hook, runner, burn_in)
    assert equal(model.teacher, model.student)
    update = 0
    for done in range(burn_in + 1, 13):
        before = model.teacher.conv.bias.detach().clone()
        run(hook, runner, 1)
        if done % 4:
            assert torch.equal(model.teacher.conv.bias, before)
            continue
        update += 1
        want = before.lerp(model.student.conv.bias.detach(), 1 / (1 + update))
        torch.testing.assert_close(model.teacher.conv.bias.detach(), want)
    assert update == (12 - burn_in + 3) // 4


def test_the_last_step_of_a_run_may_come_early():
    hook, runner, model = started(burn_in=1, per_step=4, warmup=1)
    runner.max_iters, runner.iter = 10, 9
    momenta = []
    hook._pairs.update = lambda momentum, _: momenta.append(momentum)
    runner.optim_wrapper.should_update = lambda: True
    hook.after_train_iter(runner, 9)
    assert momenta == [1 / (1 + 3)]


# --- which tensors ----------------------------------------------------------


def test_names_not_positions_decide():
    """An extra module of the student stays with the student."""
    model = ToyTeacherModel()
    model.student = nn.Sequential()
    model.student.extra = nn.Conv1d(1, 2, 1)
    model.student.norm, model.student.conv = Net().norm, Net().conv
    _, _, model = started(0, model)
    assert torch.equal(model.teacher.conv.weight, model.student.conv.weight)
    assert not torch.equal(model.teacher.conv.weight, model.student.extra.weight)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda net: delattr(net, 'conv'), r'conv.weight .*student has none'),
        (lambda net: delattr(net, 'norm'), r'norm.weight .*student has none'),
        (lambda net: net.double(), 'torch.float64'),
        (lambda net: setattr(net, 'conv', nn.Conv1d(1, 3, 1)), r'\(3, 1, 1\)'),
        (lambda net: net.norm._buffers.pop('running_var'), 'norm.running_var'),
    ],
)
def test_a_student_that_does_not_match_is_refused(change, message):
    model = ToyTeacherModel()
    change(model.student)
    with pytest.raises(ValueError, match=message):
        MixTeacherHook().before_train(stub_runner(model))


def test_shared_parameters_and_replaced_buffers():
    model = ToyTeacherModel()
    for net in (model.student, model.teacher):
        net.again = net.conv
        net.register_buffer('seen', torch.zeros(1))
        net.register_buffer('canvas', torch.zeros(1), persistent=False)
    hook, runner, model = started(0, model)
    model.student.seen = torch.tensor([5.0])
    model.student.canvas = torch.zeros(2, 2)
    run(hook, runner, 1)
    assert model.teacher.seen.item() == 5.0
    assert model.teacher.canvas.shape == (1,)
    assert model.teacher.again is model.teacher.conv


# --- around it --------------------------------------------------------------


def test_the_teacher_stays_in_eval_mode():
    hook, runner, model = started()
    for _ in range(2):
        model.train()
        hook.before_train_iter(runner, 0)
        assert not any(module.training for module in model.teacher.modules())
        assert all(module.training for module in model.student.modules())


def test_distributed_wrapper(tmp_path):
    """The hook reaches through it; the result is that without it."""
    _, _, plain = started(3, copy.deepcopy(model := ToyTeacherModel()))
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1
    )
    try:
        hook = MixTeacherHook(momentum=M, empty_patience=2)
        runner = stub_runner(MMDistributedDataParallel(model, device_ids=None))
        with released(runner):
            hook.before_train(runner)
            run(hook, runner, 3, dict(pseudo_count=torch.tensor(0.0)))
    finally:
        torch.distributed.destroy_process_group()
    assert equal(model.teacher, plain.teacher)
    assert [progress.iteration for progress in model.told] == [0, 0, 1, 2]


def test_mixed_precision_averages_in_full():
    _, _, plain = started(3, copy.deepcopy(model := ToyTeacherModel()))
    hook, runner, _ = started(0, model)
    for index in range(3):
        step(model, index)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            hook.after_train_iter(runner, index)
        runner.iter += 1
    assert equal(model.teacher, plain.teacher)


def test_no_gradient_reaches_the_teacher():
    hook, runner, model = started(2)
    hook.before_train_iter(runner, 2)
    x = torch.randn(4, 1, 4)
    model.parse_losses(model(x, mode='loss'))[0].backward()
    assert all(p.grad is None for p in model.teacher.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.student.norm.parameters())


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(momentum=0), ValueError, 'momentum'),
        (dict(momentum=1.5), ValueError, 'momentum'),
        (dict(burn_in=-1), ValueError, 'burn_in'),
        (dict(burn_in=1.0), TypeError, 'burn_in'),
        (dict(burn_in=True), TypeError, 'burn_in'),
        (dict(buffers='skip'), ValueError, "'copy', 'ema'.*'skip'"),
        (dict(warmup=-1), ValueError, 'warmup'),
        (dict(warmup=float('inf')), ValueError, 'warmup'),
        (dict(empty_patience=-1), ValueError, 'empty_patience'),
        (dict(distance_interval=0.5), TypeError, 'distance_interval'),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        MixTeacherHook(**settings)


def test_a_loader_with_other_batches_than_its_sampler_is_refused():
    parts = ConcatDataset([TensorDataset(torch.zeros(n)) for n in (4, 8)])
    sampler = MixSourceSampler(parts, 4, source_ratio=[1, 1], seed=0)
    runner = stub_runner(ToyTeacherModel())
    for size in (4, 2):
        runner.train_dataloader = DataLoader(parts, size, sampler=sampler)
        if size == 4:
            MixTeacherHook().before_train(runner)
    with pytest.raises(ValueError, match='batch_size is 2 and its sampler.batch_size'):
        MixTeacherHook().before_train(runner)
