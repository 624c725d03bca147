"""ResumeSkipHook: a resume that loads nothing twice, on both versions of mmengine."""

from __future__ import annotations

import itertools

import pytest
import torch
from mmdet.registry import DATA_SAMPLERS
from mmengine.dataset import InfiniteSampler

from mmmix.engine.hooks.resuming.resume_skip_hook import ResumeSkipHook
from tests.engine.teacher_toy import ToySignals, train


@DATA_SAMPLERS.register_module()
class ToySkipSampler(torch.utils.data.Sampler):
    """Numbers 0, 1, 2, ... modulo the size; remembers what it was asked to skip."""

    asked = []

    def __init__(self, dataset, seed=None):
        self.size, self.start = len(dataset), 0

    def __iter__(self):
        for number in itertools.count(self.start):
            yield number % self.size

    def __len__(self):
        return self.size

    def skip(self, num_samples):
        self.asked.append(num_samples)
        self.start = num_samples


HOOKS = [dict(type='MixTeacherHook'), dict(type='ResumeSkipHook')]


def loader(sampler, **changes):
    settings = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='ToySignals'),
        sampler=sampler,
    )
    return {**settings, **changes}


def resumed(folder, sampler, hooks, **changes):
    """A run of 3 iterations, then resumed until 5; what the second part loaded."""
    settings = dict(train_dataloader=loader(sampler, **changes))
    train(folder / 'a', hooks, iters=3, **settings)
    ToySkipSampler.asked.clear()
    path = str(folder / 'a/iter_3.pth')
    runner = train(
        folder / 'b', hooks, iters=5, resume=True, load_from=path, **settings
    )
    return runner, runner.train_dataloader.dataset.loaded


def test_only_what_is_left_is_loaded(tmp_path):
    _, loaded = resumed(tmp_path, dict(type='ToySkipSampler'), HOOKS)
    assert ToySkipSampler.asked == [12]
    # 12 samples were skipped; batches of 4 follow.
    assert loaded == [12, 13, 14, 15, 0, 1, 2, 3]


@pytest.mark.parametrize(
    'persistent', [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_worker_processes(tmp_path, persistent):
    """Batches arrive as without a stop, from workers that are started anew."""
    workers = dict(num_workers=1, persistent_workers=persistent)
    sampler = dict(type='ToySkipSampler')
    runner, loaded = resumed(tmp_path, sampler, HOOKS, **workers)
    assert loaded == []
    whole = train(
        tmp_path / 'c', HOOKS, iters=5, train_dataloader=loader(sampler, **workers)
    )
    for name, value in whole.model.state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], value)


def test_a_fresh_run_is_left_alone(tmp_path):
    ToySkipSampler.asked.clear()
    runner = train(
        tmp_path,
        HOOKS,
        iters=2,
        train_dataloader=loader(dict(type='ToySkipSampler')),
    )
    assert ToySkipSampler.asked == []
    assert runner.train_dataloader.dataset.loaded == list(range(8))


def test_samplers_without_skip_go_mmengines_way(tmp_path):
    """The same batches follow as without the hook."""
    sampler = dict(type='InfiniteSampler', shuffle=True)
    _, with_hook = resumed(tmp_path / '1', sampler, HOOKS)
    _, without = resumed(tmp_path / '2', sampler, HOOKS[:1])
    assert with_hook == without
    stream = iter(InfiniteSampler(ToySignals(), seed=3))
    assert with_hook[-8:] == list(itertools.islice(stream, 20))[12:]


def test_epoch_based_runs_are_left_alone(tmp_path):
    train(
        tmp_path,
        HOOKS,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        train_dataloader=loader(dict(type='DefaultSampler', shuffle=False)),
    )
    assert (tmp_path / 'iter_8.pth').exists()


def test_the_older_loop_gets_an_iterator_that_discards_for_free():
    """As mmengine 0.10.7 has it, whichever version is installed."""
    from types import SimpleNamespace

    from mmengine.runner import IterBasedTrainLoop

    class Batches:
        made = []

        def __init__(self, data):
            self.made.append(sampler.start)
            self.rest = iter(data)

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.rest)

    sampler = ToySkipSampler(range(100))
    loop = object.__new__(IterBasedTrainLoop)
    data = torch.utils.data.DataLoader(range(100), batch_size=5, sampler=sampler)
    loop.dataloader, loop.dataloader_iterator = data, Batches(data)
    lines = []
    logger = SimpleNamespace(info=lines.append)
    runner = SimpleNamespace(train_loop=loop, iter=7, logger=logger)
    ResumeSkipHook().before_train_epoch(runner)
    for _ in range(7):
        assert next(loop.dataloader_iterator) is None
    assert next(loop.dataloader_iterator).tolist() == [35, 36, 37, 38, 39]
    assert Batches.made == [0, 35]
    assert 'skipped 7 batches' in lines[0]
