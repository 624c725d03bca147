"""StopHook where a step adds up several iterations, whose gradients none saves."""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmmix.engine import whole_steps
from mmmix.engine.hooks.resuming.stop_hook import StopHook
from mmmix.engine.stop_signals import StopSignals
from tests.faults import harness, toys
from tests.faults.harness import Run


def added_up(make, counts, folder, **checkpoint):
    """The config of a toy run whose step has so many iterations."""
    config = make(folder)
    config['optim_wrapper'] = dict(config['optim_wrapper'], accumulative_counts=counts)
    config['default_hooks']['checkpoint'].update(checkpoint)
    return config


def stop_at_once():
    """Send this process SIGTERM in its first training iteration."""
    update, seen = OptimWrapper.update_params, []

    def stopped(self, *args, **options):
        if not seen:
            os.kill(os.getpid(), signal.SIGTERM)
        seen.append(1)
        return update(self, *args, **options)

    OptimWrapper.update_params = stopped


@pytest.mark.parametrize(
    ('make', 'counts', 'stops'),
    [
        (toys.supervised, 4, ['iter_4.pth', 'iter_8.pth']),
        # The second step goes on in the second epoch, after a validation.
        (toys.epochs, 3, ['iter_3.pth', 'iter_6.pth', 'epoch_2.pth']),
    ],
)
def test_a_stop_waits_for_the_step_and_the_run_ends_as_if_undisturbed(
    make, counts, stops, tmp_path
):
    # What was saved between, with the best one or to stop, goes with the last one.
    make = partial(added_up, make, counts, interval=counts, max_keep_ckpts=1)
    whole, run = Run(tmp_path / 'whole', make), Run(tmp_path / 'run', make)
    assert whole.train() == 0, whole.output()[-3000:]
    seen = []
    while run.train('--resume', prepare=stop_at_once) == 143:
        seen.append(os.path.basename((run.work / 'last_checkpoint').read_text()))
        assert len(seen) < 9
    # The last step ends the training: what is left to do may be done.
    assert seen in (stops, stops[:-1]), run.output()[-3000:]
    assert not harness.same(run, whole)


def wrapper(counts, done):
    made = OptimWrapper(
        torch.optim.SGD([torch.nn.Parameter(torch.ones(()))], 0.1),
        accumulative_counts=counts,
    )
    made._inner_count = done
    return made


@pytest.mark.parametrize(
    ('made', 'whole', 'most'),
    [
        (lambda: wrapper(1, 5), True, 1),
        (lambda: wrapper(4, 5), False, 4),
        (lambda: wrapper(4, 8), True, 4),
        (lambda: OptimWrapperDict(a=wrapper(2, 4), b=wrapper(3, 4)), False, 6),
        (lambda: OptimWrapperDict(a=wrapper(2, 6), b=wrapper(3, 6)), True, 6),
        (SimpleNamespace, True, 1),  # of deepspeed, which does not tell
    ],
)
def test_when_a_step_is_whole(made, whole, most):
    assert whole_steps.is_step_whole(made()) is whole
    assert whole_steps.iterations_per_step(made()) == most


def test_a_stop_comes_also_where_no_step_is_ever_whole(monkeypatch):
    """Optimizers that take turns: it waits as long as a step may take."""
    pair = OptimWrapperDict(a=wrapper(2, 1), b=wrapper(2, 2))
    signals, stops = StopSignals(), []
    signals.received = signal.SIGTERM
    hook = StopHook(signals)
    monkeypatch.setattr(hook, '_stop', lambda runner, *rest: stops.append(runner.iter))
    runner = SimpleNamespace(optim_wrapper=pair, iter=0, epoch=0, train_loop=None)
    hook.before_run(runner)
    for runner.iter in range(2):
        hook.after_train_iter(runner, runner.iter)
    assert stops == [1]


SAVED = 'default_hooks.checkpoint.interval'
BEST = r'train_cfg.val_interval \(with save_best\)'


@pytest.mark.parametrize(
    ('make', 'counts', 'checkpoint', 'said'),
    [
        (toys.supervised, 2, {}, []),
        (toys.supervised, 1, dict(interval=3), []),
        (toys.supervised, 2, dict(interval=-1), []),
        (
            toys.supervised,
            3,
            dict(interval=4),
            [f'{SAVED}=4 iterations saves.*up 3 iter.*Set it to a multiple of 3.* 6$']
            + [f'{BEST}=2 iterations saves.*up 3 iter.*Set it to a multiple of 3.* 3$'],
        ),
        (
            toys.supervised,
            2,
            dict(save_begin=3),
            [f'{SAVED}=2 iterations from save_begin=3 on.* and save_begin to .* 2$'],
        ),
        (toys.epochs, 4, {}, []),
        (toys.epochs, 8, dict(interval=2, save_best=None), []),
        (
            toys.epochs,
            6,
            dict(save_best=None),
            [f'{SAVED}=1 epochs of 4 iterations saves.*up 6 iter.*multiple of 3.* 3$'],
        ),
    ],
)
def test_checkpoints_between_the_iterations_of_a_step_are_warned_of(
    make, counts, checkpoint, said, tmp_path
):
    run = Run(tmp_path, partial(added_up, make, counts), **checkpoint)
    assert run.train() == 0, run.output()[-3000:]
    found = [line for line in run.output().splitlines() if 'between two steps' in line]
    assert len(found) == len(said)
    for line, pattern in zip(found, said):
        assert re.search(pattern, line), line
