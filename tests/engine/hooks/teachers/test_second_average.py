"""mmengine's EMAHook beside a teacher."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.runner import EpochBasedTrainLoop

from mmmix.engine.hooks.teachers.second_average import check_second_average
from tests.engine.teacher_toy import make_runner, train

K, M, ITERS = 3, 0.5, 6
TEACHER = dict(type='MixTeacherHook', momentum=0.1, burn_in=K, distance_interval=0)


def hooks(**begin):
    """The average's hook first, so that it is called before the teacher's."""
    return [dict(type='EMAHook', momentum=M, **begin), TEACHER]


def test_from_behind_the_burn_in_on_it_is_the_average_of_the_teachers(tmp_path):
    train(tmp_path, hooks(begin_iter=K + 1), iters=ITERS)
    want = None
    for done in range(K + 1, ITERS + 1):
        content = torch.load(tmp_path / f'iter_{done}.pth', weights_only=False)
        # mmengine saves the average in the place of the model, and the model here
        teacher = content['ema_state_dict']['module.teacher.conv.weight']
        want = teacher if want is None else (1 - M) * want + M * teacher
        got = content['state_dict']['teacher.conv.weight']
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('begin', [0, 1, K])
def test_an_average_that_has_the_random_weights_is_refused(tmp_path, begin):
    runner = make_runner(tmp_path, hooks(begin_iter=begin), iters=ITERS)
    with pytest.raises(ValueError, match=rf'begin_iter={begin}\).*begin_iter={K + 1}'):
        runner.train()


@pytest.mark.parametrize(('epoch', 'burn_in'), [(2, 7), (3, 15), (2, 8), (3, 16)])
def test_epochs_are_counted_in_iterations(epoch, burn_in):
    """Of 8 iterations: the second begins in iteration 9, the third in 17."""
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    average = EMAHook(begin_epoch=epoch)
    runner = SimpleNamespace(
        hooks=[average], train_loop=loop, max_iters=32, max_epochs=4
    )
    check_second_average(runner, burn_in)
    with pytest.raises(ValueError, match=f'begin_epoch={epoch}'):
        check_second_average(runner, 8 * (epoch - 1) + 1)


def test_epochs_of_a_loop_that_has_one(tmp_path):
    """Such a hook begins at once, or never."""
    runner = make_runner(tmp_path, [], iters=ITERS)
    runner.register_hook(EMAHook(begin_epoch=2))
    check_second_average(runner, ITERS)
    runner.register_hook(EMAHook(begin_epoch=1))
    with pytest.raises(ValueError, match='from iteration 1 on'):
        check_second_average(runner, 1)
