"""Optimizer wrappers that leave out steps that are not finite."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.logging import MessageHub
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer.amp_optimizer_wrapper import GradScaler

from mmmix.engine import SkipNonFiniteAmpOptimWrapper, SkipNonFiniteOptimWrapper
from tests.engine.skipped_steps import (
    BAD,
    GOOD,
    infinite_with_finite_gradient,
    net,
    step,
    wrap,
)


@pytest.fixture(autouse=True)
def _hub():
    """A message hub of its own for each test, as a run has."""
    MessageHub._instance_dict.pop('skipping', None)
    MessageHub.get_instance('skipping')
    yield
    MessageHub._instance_dict.pop('skipping', None)


@pytest.fixture
def warned(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmmix.engine.optimizers.skip_non_finite.print_log',
        lambda text, logger, level: lines.append(text),
    )
    return lines


def state(model, wrapper):
    momenta = [s['momentum_buffer'] for s in wrapper.optimizer.state.values()]
    return [t.clone() for t in (*model.state_dict().values(), *momenta)]


def same(one, other):
    return len(one) == len(other) and all(map(torch.equal, one, other))


def test_finite_steps_are_the_stock_ones():
    results = []
    for kind in (OptimWrapper, SkipNonFiniteOptimWrapper):
        model = net()
        wrapper = wrap(model, kind, clip_grad=dict(max_norm=0.1))
        for index in range(3):
            step(model, wrapper, GOOD * (index + 1))
        results.append(state(model, wrapper))
    assert same(*results)
    assert wrapper.message_hub.get_info('skipped_steps') == 0


def finite_with_infinite_gradient(loss):
    return (loss - loss.detach()).abs().sqrt()


@pytest.mark.parametrize(
    ('images', 'change'),
    [
        (BAD, None),
        (GOOD, infinite_with_finite_gradient),
        (GOOD, finite_with_infinite_gradient),
        (GOOD, lambda loss: loss * float('nan')),
    ],
)
@pytest.mark.parametrize('clip', [None, dict(max_norm=1.0)])
def test_a_skipped_step_leaves_no_trace(images, change, clip, warned):
    model = net()
    wrapper = wrap(model, clip_grad=clip)
    step(model, wrapper)
    before = state(model, wrapper)
    assert not wrapper.skipped
    step(model, wrapper, images, change)
    assert wrapper.skipped
    assert same(state(model, wrapper), before)
    assert len(warned) == 1
    assert 'loss or gradient is not finite (1 in this run, 1 in a row)' in warned[0]
    # and the next one is as if there had been no other
    twin = net()
    twins = wrap(twin, clip_grad=clip)
    for _ in range(2):
        step(twin, twins)
    step(model, wrapper)
    assert not wrapper.skipped
    assert same(state(model, wrapper), state(twin, twins))


def test_the_stock_wrapper_is_ruined():
    """What this is for."""
    model = net()
    step(model, wrap(model, OptimWrapper), BAD)
    assert not any(torch.isfinite(p).any() for p in model[0].parameters())


def test_a_frozen_module_keeps_its_buffers(warned):
    """Nothing writes them, so nothing need be put back."""
    model = net()
    model[1].eval()
    wrapper = wrap(model)
    step(model, wrapper)
    assert not wrapper.skipped
    with wrapper.optim_context(model):
        loss = model(BAD).mean()
    with torch.no_grad():
        model[1].running_mean.data = torch.full((3,), 5.0)
    wrapper.update_params(loss)
    assert wrapper.skipped
    assert model[1].running_mean.tolist() == [5.0] * 3


@pytest.mark.parametrize('bad', [0, 1])
def test_accumulated_gradients_are_skipped_together(bad, warned):
    """Also the statistics of the good iteration of that step."""
    model = net()
    wrapper = wrap(model, accumulative_counts=2)
    for _ in range(2):
        step(model, wrapper)
    before = state(model, wrapper)
    for index in range(2):
        step(model, wrapper, BAD if index == bad else GOOD)
    assert wrapper.skipped
    assert same(state(model, wrapper), before)
    for _ in range(2):
        step(model, wrapper)
    assert not wrapper.skipped
    assert not same(state(model, wrapper), before)
    assert wrapper.message_hub.get_info('skipped_steps') == 1


def test_training_stops_after_too_many_in_a_row(warned):
    model = net()
    wrapper = wrap(model, max_skipped=3)
    for images in (BAD, BAD, GOOD, BAD, BAD):
        step(model, wrapper, images)
    before = state(model, wrapper)
    with pytest.raises(FloatingPointError, match='^3 optimizer steps in a row.*lambda'):
        step(model, wrapper, BAD)
    assert same(state(model, wrapper), before)
    hub = wrapper.message_hub
    assert hub.get_info('skipped_steps') == 5
    logged, _ = hub.get_scalar('train/skipped_steps').data
    assert logged.tolist() == [1, 2, 2, 3, 4, 5]
    assert '(4 in this run, 2 in a row)' in warned[-1]


def test_counting_goes_on_after_a_resume(warned):
    model = net()
    wrapper = wrap(model, max_skipped=2)
    step(model, wrapper, BAD)
    saved = copy.deepcopy(wrapper.message_hub.state_dict())
    MessageHub._instance_dict.pop('skipping')
    hub = MessageHub.get_instance('skipping')
    resumed = wrap(model, max_skipped=2)
    hub.load_state_dict(saved)
    with pytest.raises(FloatingPointError, match='^2 optimizer steps'):
        step(model, resumed, BAD)
    assert hub.get_info('skipped_steps') == 2


@pytest.mark.parametrize(
    ('value', 'error'), [(0, ValueError), (True, TypeError), (1.5, TypeError)]
)
def test_limits_it_refuses(value, error):
    with pytest.raises(error, match=f'max_skipped must be .*{value}'):
        wrap(net(), max_skipped=value)


def test_it_is_built_from_a_config():
    model = net()
    cfg = dict(
        type='SkipNonFiniteOptimWrapper',
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        max_skipped=7,
        clip_grad=dict(max_norm=35),
    )
    wrapper = OPTIM_WRAPPERS.build(cfg)
    assert isinstance(wrapper, OptimWrapper)
    assert (wrapper.max_skipped, wrapper.clip_grad_kwargs) == (7, dict(max_norm=35))


# --- mixed precision --------------------------------------------------------


class Scaler:
    """What AmpOptimWrapper asks of a loss scaler, with a fixed scale of 4."""

    def __init__(self):
        self.calls = []

    def is_enabled(self):
        return True

    def scale(self, loss):
        return loss * 4

    def unscale_(self, optimizer):
        self.calls.append('unscale')
        for group in optimizer.param_groups:
            for parameter in group['params']:
                parameter.grad.div_(4)

    def step(self, optimizer):
        grads = [p.grad for g in optimizer.param_groups for p in g['params']]
        finite = all(torch.isfinite(grad).all() for grad in grads)
        self.calls.append('step' if finite else 'skip')
        if finite:
            optimizer.step()

    def update(self, scale):
        self.calls.append('update')


@pytest.fixture
def _without_gpu(monkeypatch):
    """AmpOptimWrapper itself needs a GPU; only its scaler is replaced."""
    monkeypatch.setattr(
        AmpOptimWrapper,
        '__init__',
        lambda self, **kwargs: OptimWrapper.__init__(self, **kwargs),
    )
    monkeypatch.setattr(AmpOptimWrapper, 'optim_context', OptimWrapper.optim_context)


@pytest.mark.usefixtures('_without_gpu')
@pytest.mark.parametrize('clip', [None, dict(max_norm=1.0)])
def test_a_scaler_that_is_switched_off_takes_no_bad_step(clip, warned):
    """As with ``dtype='bfloat16'`` and ``loss_scale=dict(enabled=False)``."""
    model = net()
    wrapper = wrap(model, SkipNonFiniteAmpOptimWrapper, clip_grad=clip)
    wrapper.loss_scaler = GradScaler(enabled=False)
    wrapper._scale_update_param = None
    step(model, wrapper)
    before = state(model, wrapper)
    step(model, wrapper, BAD)
    assert wrapper.skipped
    assert same(state(model, wrapper), before)


@pytest.mark.usefixtures('_without_gpu')
def test_mixed_precision_lets_the_scaler_skip(warned):
    model = net()
    wrapper = wrap(
        model, SkipNonFiniteAmpOptimWrapper, clip_grad=dict(max_norm=1.0), max_skipped=2
    )
    wrapper.loss_scaler, wrapper._scale_update_param = Scaler(), None
    step(model, wrapper)
    before = state(model, wrapper)
    step(model, wrapper, BAD)
    assert wrapper.loss_scaler.calls == ['unscale', 'step', 'update'] + [
        'unscale',
        'skip',
        'update',
    ]
    assert wrapper.skipped
    assert same(state(model, wrapper), before)
    with pytest.raises(FloatingPointError):
        step(model, wrapper, BAD)
