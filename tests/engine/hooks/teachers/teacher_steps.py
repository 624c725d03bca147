"""Steps of a training around MixTeacherHook, and what they are compared by."""

from __future__ import annotations

import torch

from mmmix.engine import MixTeacherHook
from tests.engine.teacher_toy import ToyTeacherModel, stub_runner

M = 0.1


def step(model, seed):
    """What an optimizer step and a forward pass in training change."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.student(3 * torch.randn(8, 1, 4) + 1)


def run(hook, runner, iterations, outputs=None):
    """Iterations of a training loop around the hook."""
    model = getattr(runner.model, 'module', runner.model)
    for _ in range(iterations):
        hook.before_train_iter(runner, runner.iter)
        step(model, runner.iter)
        hook.after_train_iter(runner, runner.iter, outputs=outputs)
        runner.iter += 1


def started(iterations=0, model=None, per_step=1, **settings):
    """A hook, its Runner and model, after some iterations."""
    model = model or ToyTeacherModel()
    model.train()
    runner = stub_runner(model, per_step)
    hook = MixTeacherHook(**{'momentum': M, **settings})
    hook.before_train(runner)
    run(hook, runner, iterations)
    return hook, runner, model


def equal(a, b):
    """Whether two modules agree in all of their state, bit by bit."""
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)
