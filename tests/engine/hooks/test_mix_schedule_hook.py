"""MixScheduleHook: when it switches, what it finds, that it holds no state."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from mmengine.dataset import Compose
from mmengine.logging import MessageHub
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mmmix.datasets import MixImage
from mmmix.engine import MixScheduleHook
from mmmix.mixing.counters import runner_counter
from mmmix.models import MixBatch
from tests.engine.teacher_toy import train

RATIO = dict(type='Beta', alpha=1.0)


def make_runner(iteration=0, epoch=0, max_iters=20, max_epochs=4):
    """What the hook reads of a Runner, with mixers nested as they are in one."""
    model = nn.ModuleDict({'data_preprocessor': nn.Sequential(MixBatch(ratio=RATIO))})
    image = MixImage(ratio=RATIO, pad='black')
    inner = SimpleNamespace(pipeline=Compose([]))
    mix = SimpleNamespace(dataset=inner, pipeline=[image])
    repeat = SimpleNamespace(dataset=SimpleNamespace(datasets=[inner, mix]))
    runner = SimpleNamespace(
        model=nn.Sequential(model),
        train_dataloader=SimpleNamespace(dataset=repeat),
        train_loop=None,
        message_hub=MessageHub.get_current_instance(),
        seed=0,
        logger=logging.getLogger('test'),
        iter=iteration,
        epoch=epoch,
        max_iters=max_iters,
        max_epochs=max_epochs,
    )
    return runner, [model['data_preprocessor'][0], image]


def states(hook, by_epoch, start=0):
    """State of both mixers in every iteration of a run resumed at ``start``."""
    runner, mixers = make_runner(iteration=start, epoch=start // 5)
    seen = []
    hook.before_train(runner)
    for iteration in range(start, 20):
        runner.iter, runner.epoch = iteration, iteration // 5
        if iteration % 5 == 0 or iteration == start:
            hook.before_train_epoch(runner)
        hook.before_train_iter(runner, iteration % 5)
        assert len({mixer.enabled for mixer in mixers}) == 1
        seen.append(mixers[0].enabled)
    assert mixers[1].counter.epoch == 3
    return seen


@pytest.mark.parametrize(
    ('settings', 'on'),
    [
        (dict(), range(20)),
        (dict(end=16), range(16)),
        (dict(begin=3, end=16), range(3, 16)),
        (dict(last=4), range(16)),
        (dict(begin=3), range(3, 20)),
        (dict(last=20), range(0)),
        (dict(last=1, by_epoch=True), range(15)),
        (dict(begin=1, end=3, by_epoch=True), range(5, 15)),
    ],
)
@pytest.mark.parametrize('start', [0, 2, 15, 16, 17])
def test_schedule_also_after_a_resume(settings, on, start):
    """Identity 24: off from the stated iteration, also resumed at stop ± 1."""
    hook = MixScheduleHook(**settings)
    want = [iteration in on for iteration in range(start, 20)]
    assert states(hook, settings.get('by_epoch', False), start) == want


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(begin=-1), ValueError, 'begin'),
        (dict(begin=None), TypeError, 'begin'),
        (dict(end=1.5), TypeError, 'end'),
        (dict(end=5, last=5), ValueError, 'not both'),
        (dict(begin=5, end=4), ValueError, 'before begin'),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        MixScheduleHook(**settings)


def test_the_log_says_so(caplog):
    runner, _ = make_runner()
    hook = MixScheduleHook(end=1)
    with caplog.at_level(logging.INFO, logger='test'):
        hook.before_train(runner)
        for iteration in range(3):
            runner.iter = iteration
            hook.before_train_iter(runner, iteration)
    assert [record.message for record in caplog.records] == [
        'Mixing is on from iteration 0.',
        'Mixing is off from iteration 1.',
    ]


@pytest.mark.parametrize('bound', [dict(last=10), dict(end=3), dict(begin=1)])
def test_epochs_in_a_loop_of_iterations_are_refused(bound):
    runner, _ = make_runner(max_epochs=1)
    runner.train_loop = object.__new__(IterBasedTrainLoop)
    with pytest.raises(ValueError, match=r'by_epoch=True.*iterations, with by_epoch=F'):
        MixScheduleHook(**bound, by_epoch=True).before_train(runner)
    MixScheduleHook(**bound).before_train(runner)


@pytest.mark.parametrize(
    ('settings', 'never'),
    [
        (dict(last=20), True),
        (dict(last=19), False),
        (dict(begin=20), True),
        (dict(begin=19), False),
        (dict(begin=5, end=5), True),
        (dict(begin=5, last=15), True),
        (dict(last=4, by_epoch=True), True),
        (dict(last=4), False),
    ],
)
def test_a_schedule_that_never_mixes_is_warned_of(settings, never, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.engine.hooks.mix_schedule_hook.print_log',
        lambda text, **_: said.append(text),
    )
    hook = MixScheduleHook(**settings)
    hook.before_train(make_runner()[0])
    assert [f'{hook} never mixes' in text for text in said] == [True] * never
    assert (True not in states(hook, hook.by_epoch)) is never


@pytest.mark.parametrize(('settings', 'said'), [(dict(), 0), (dict(last=2), 1)])
def test_a_schedule_of_what_mixes_labels_is_warned_of(settings, said, monkeypatch):
    texts = []
    monkeypatch.setattr(
        'mmmix.engine.hooks.mix_schedule_hook.print_log',
        lambda text, **_: texts.append(text),
    )
    runner, _ = make_runner()
    runner.model = nn.Module()
    runner.model.data_preprocessor = nn.Module()
    augments = SimpleNamespace(augments=[RATIO])  # stands for mmpretrain's
    runner.model.data_preprocessor.batch_augments = augments
    hook = MixScheduleHook(**settings)
    hook.before_train(runner)
    assert [f'{hook} has no effect on dict' in text for text in texts] == [True] * said


@pytest.mark.parametrize(('rank', 'seed'), [(0, 3), (1, 4)])
def test_a_resumed_process_draws_by_its_own_seed(tmp_path, monkeypatch, rank, seed):
    """The checkpoint is the first process's, whose seed mmengine gives to all."""
    hooks = [dict(type='MixScheduleHook'), dict(type='MixTeacherHook')]
    settings = dict(iters=2, randomness=dict(seed=3, diff_rank_seed=True))
    train(tmp_path / 'first', hooks, **settings)
    monkeypatch.setattr('mmengine.runner.utils.get_rank', lambda: rank)
    path = str(tmp_path / 'first/iter_1.pth')
    settings.update(resume=True, load_from=path)
    runner = train(tmp_path / 'resumed', hooks, **settings)
    assert runner.seed == runner_counter('seed') == seed
