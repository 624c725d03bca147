"""RPN's losses of a whole batch at once against stock mmdet's, on odd batches."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.samplers import RandomSampler
from mmdet.registry import TASK_UTILS

from tests.helpers import mixed, total, with_supervision
from tests.models.conformance.case import flat
from tests.models.conformance.rpn import ALL, RPN, class_agnostic

from .test_batch_targets import odd_batch

SEEDS = st.integers(0, 10**6)
COUNTS = st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=3)
SETTINGS = dict(
    plain={},
    ignore=dict(assigner=dict(ignore_iof_thr=0.5)),
    border=dict(allowed_border=8),
    first=dict(assigner=dict(gt_max_assign_all=False)),
)


@pytest.fixture(scope='module', params=list(SETTINGS))
def heads(request):
    return RPN.build(**SETTINGS[request.param])


def sides_of(seed, counts):
    """Two batches on canvases of one size."""
    rng = np.random.default_rng(seed)
    sides = [class_agnostic(odd_batch(rng, side)) for side in zip(*counts)]
    sides[1] = sides[1]._replace(metas=sides[0].metas)
    return sides


@settings(max_examples=20, deadline=None)
@given(SEEDS, COUNTS)
def test_unmixed_losses_are_stock(heads, seed, counts):
    stock, mix = heads
    batch, preds = sides_of(seed, counts)[0], RPN.predictions(len(counts), seed)
    want = total(stock.loss_by_feat(*preds, *batch))
    got = total(mix.loss_by_feat(*preds, *batch))
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(SEEDS, COUNTS)
def test_lossmix_is_the_stock_losses_weighed(heads, seed, counts):
    """With one λ, which any stock pass can be multiplied with."""
    stock, mix = heads
    sides = [side._replace(ignored=None) for side in sides_of(seed, counts)]
    preds = RPN.predictions(len(counts), seed)
    union = mixed(*sides, [0.3] * len(counts))._replace(ignored=None)
    got = total(with_supervision(mix, type='LossMix').loss_by_feat(*preds, *union))
    parts = [total(stock.loss_by_feat(*preds, *side)) for side in sides]
    for name in got:
        want = 0.3 * parts[0][name] + 0.7 * parts[1][name]
        torch.testing.assert_close(got[name], want, rtol=2e-6, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(SEEDS, COUNTS, st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]))
def test_boxmix_is_that_of_one_image_after_the_other(heads, seed, counts, lam):
    """Which the conformance suite compares with a slow reference."""
    head = RPN.boxmix(heads[1])
    slow = copy.copy(head)
    slow.draws_at_once = lambda: False
    sides = [side._replace(ignored=None) for side in sides_of(seed, counts)]
    union = mixed(*sides, [lam] * len(counts))._replace(ignored=None)
    preds = RPN.predictions(len(counts), seed)
    got, want = (total(h.loss_by_feat(*preds, *union)) for h in (head, slow))
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize('supervision', ['Union', 'LossMix', 'BoxMix'])
def test_few_anchors_are_drawn(supervision):
    """As many as asked for, again in the next call, and others then."""
    _, mix = RPN.build(sampler=dict(ALL, num=16))
    head = with_supervision(mix, type=supervision)
    preds, batch = RPN.predictions(), mixed(*RPN.sides(), [0.7] * 3)
    seen = []
    for _ in range(2):
        loss = total(head.loss_by_feat(*preds, *batch))['loss_rpn_cls']
        grads = torch.autograd.grad(loss, preds[0])
        seen.append(flat(grads, 1)[..., 0] != 0)
    most = 32 if supervision == 'LossMix' else 16
    assert all(((s.sum(1) >= 16) & (s.sum(1) <= most)).all() for s in seen)
    assert not torch.equal(*seen)


def test_a_sampler_that_is_not_known_is_asked(monkeypatch):
    """A subclass draws by itself, for stock parts and joint ones."""
    calls, said = [], []

    class OwnSampler(RandomSampler):
        def sample(self, *args, **kwargs):
            calls.append(args)
            return super().sample(*args, **kwargs)

    monkeypatch.setattr(
        'mmmix.models.batch_assignment.print_log', lambda text, **_: said.append(text)
    )
    stock, mix = RPN.build()
    settings = {key: value for key, value in ALL.items() if key != 'type'}
    mix.sampler = OwnSampler(**settings)
    assert TASK_UTILS.get('OwnSampler') is None
    sides = RPN.sides()
    preds = RPN.predictions()
    want = total(stock.loss_by_feat(*preds, *sides[0]))
    for name, count in (('Union', 3), ('LossMix', 6), ('BoxMix', 3)):
        calls.clear()
        batch = mixed(*sides, [1.0] * 3) if name != 'Union' else sides[0]
        got = total(with_supervision(mix, type=name).loss_by_feat(*preds, *batch))
        assert len(calls) == count
        for key in want:
            torch.testing.assert_close(got[key], want[key], rtol=1e-6, atol=1e-7)
    assert 'OwnSampler' in said[0]
