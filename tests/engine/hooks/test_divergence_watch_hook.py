"""DivergenceWatchHook: a loss that grows, and what was not finite."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmdet.structures import DetDataSample

from mmmix.engine import DivergenceWatchHook
from mmmix.models.teachers import TeacherProgress
from tests.engine.skipped_steps import BAD, GOOD, net, wrap


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
    wrapper = SimpleNamespace(skipped=False, should_update=lambda: True)
    runner = SimpleNamespace(model=SimpleNamespace(), optim_wrapper=wrapper, iter=0)
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


def accumulated(hook, per_step, bad, iterations):
    """Iterations of the optimizer wrapper, of an image each; some images are NaN."""
    model = net()
    wrapper = wrap(model, accumulative_counts=per_step)
    wrapper.initialize_count_status(model, 0, iterations)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper, iter=0)
    hook.before_train(runner)
    for runner.iter in range(iterations):
        with wrapper.optim_context(model):
            loss = model(BAD if runner.iter in bad else GOOD).square().mean()
        wrapper.update_params(loss)
        data = dict(data_samples=[sample(f'{runner.iter}.jpg')])
        hook.after_train_iter(runner, runner.iter, data, dict(loss_a=loss, n=1.0))


@pytest.mark.parametrize(
    ('bad', 'warnings'),
    [
        # the middle of a step, its last iteration, and the short step of the end
        ([1], ['iterations 0 to 3 loss_a|0.jpg, 1.jpg, 2.jpg, 3.jpg']),
        ([7], ['iterations 4 to 7 loss_a|4.jpg, 5.jpg, 6.jpg, 7.jpg']),
        ([9], ['iterations 8 to 9 loss_a|8.jpg, 9.jpg']),
        (
            [0, 4],
            [
                'iterations 0 to 3 loss_a|0.jpg, 1.jpg, 2.jpg, 3.jpg',
                'iterations 4 to 7 loss_a|4.jpg, 5.jpg, 6.jpg, 7.jpg',
            ],
        ),
    ],
)
def test_a_step_of_several_iterations_is_reported_once(bad, warnings, warned):
    accumulated(DivergenceWatchHook(patience=0), 4, bad, 10)
    assert warned == [
        f'In the step of {what} were not finite. Its images: {images}'
        for what, images in (line.split('|') for line in warnings)
    ]


def test_processes_gather_once_a_skipped_step(warned, monkeypatch):
    """What either of two found goes into one report."""
    gathered = []

    def gather(found):
        gathered.append(found)
        return [found, ({'loss_b'}, {'z.jpg'})]

    monkeypatch.setattr(
        'mmmix.engine.hooks.divergence_watch_hook.all_gather_object', gather
    )
    accumulated(DivergenceWatchHook(patience=0), 2, [2], 6)
    assert gathered == [({'loss_a'}, {'2.jpg', '3.jpg'})]
    assert warned == [
        'In the step of iterations 2 to 3 loss_a, loss_b were not finite. '
        'Its images: 2.jpg, 3.jpg, z.jpg'
    ]


def test_a_wrapper_that_skips_nothing(warned):
    hook = DivergenceWatchHook(patience=0)
    runner = SimpleNamespace(model=net(), optim_wrapper=object(), iter=0)
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, None, dict(loss=torch.tensor(float('nan'))))
    assert warned == []


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
