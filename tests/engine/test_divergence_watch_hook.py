"""DivergenceWatchHook: a loss that grows, and what was not finite."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmdet.structures import DetDataSample

from mmmix.engine import DivergenceWatchHook
from mmmix.models.teachers import TeacherProgress


@pytest.fixture
def warned(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmmix.engine.hooks.divergence_watch_hook.print_log',
        lambda text, logger, level: lines.append(text),
    )
    return lines


def run(hook, losses, burn_in=0, skipped=(), data=None, outputs=None):
    """Iterations with these losses."""
    runner = SimpleNamespace(
        model=SimpleNamespace(), optim_wrapper=SimpleNamespace(skipped=False), iter=0
    )
    hook.before_train(runner)
    for loss in losses:
        runner.model.progress = TeacherProgress(runner.iter, burn_in)
        runner.optim_wrapper.skipped = runner.iter in skipped
        found = dict(loss=torch.tensor(float(loss)), **(outputs or {}))
        hook.after_train_iter(runner, runner.iter, data, found)
        runner.iter += 1


@pytest.mark.parametrize(
    ('losses', 'burn_in', 'warnings'),
    [
        ([4, 2, 1, 1, 5, 5, 9, 9], 0, 2),
        ([4, 2, 1, 1, 2, 2, 3, 3], 0, 0),
        ([1, 1, 9, float('nan'), 9, float('inf')], 0, 2),
        ([float('nan')] * 4 + [1, 1], 0, 0),
        # the loss of the second phase has more terms
        ([1, 1, 1, 9, 9, 9, 9], 3, 0),
        ([1, 1, 1, 2, 2, 9, 9], 3, 1),
    ],
)
def test_blocks_of_two(losses, burn_in, warnings, warned):
    run(DivergenceWatchHook(patience=2, factor=3.0), losses, burn_in)
    assert len(warned) == warnings


def test_message(warned):
    run(DivergenceWatchHook(patience=2, factor=3.0), [4, 2, 1, 1, 5, 5])
    text = 'last 2 iterations (until 6) is 5, the lowest was 1'
    assert text in warned[0]


def test_no_patience_no_comparison(warned):
    run(DivergenceWatchHook(patience=0), [1, 100, 10000])
    assert warned == []


def sample(path):
    return DetDataSample(metainfo=dict(img_path=path))


def test_what_a_skipped_step_was_made_of(warned):
    branches = dict(sup=[sample('b.jpg'), sample('a.jpg')], unsup=[sample('c.jpg')])
    data = dict(inputs=dict(sup=[torch.zeros(2)]), data_samples=branches)
    outputs = dict(
        mss_loss_cls=torch.tensor(float('nan')),
        mst_loss=torch.tensor(1.0),
        mtt_loss_bbox=torch.tensor(float('-inf')),
    )
    hook = DivergenceWatchHook(patience=0)
    run(hook, [1.0, 1.0], skipped=[1], data=data, outputs=outputs)
    assert warned == [
        'In iteration 1 mss_loss_cls, mtt_loss_bbox were not finite. '
        'Its images: a.jpg, b.jpg, c.jpg'
    ]
    run(hook, [1.0], skipped=[0], data=dict(data_samples=[sample('d.jpg')]))
    run(hook, [1.0], skipped=[0], data=torch.zeros(3))
    assert warned[1:] == [
        'In iteration 0 gradients were not finite. Its images: d.jpg',
        'In iteration 0 gradients were not finite. Its images: unknown',
    ]


@pytest.mark.parametrize(
    ('settings', 'error'),
    [
        (dict(patience=-1), ValueError),
        (dict(patience=2.0), TypeError),
        (dict(factor=1.0), ValueError),
        (dict(factor=float('inf')), ValueError),
    ],
)
def test_settings_it_refuses(settings, error):
    (name,) = settings
    with pytest.raises(error, match=name):
        DivergenceWatchHook(**settings)
