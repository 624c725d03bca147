"""Losses of a whole batch at once against stock mmdet's, on odd batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.structures import InstanceData

from mmmix.models.dense_heads.anchor_grid import AnchorGrid
from mmmix.structures import Annotations
from tests import helpers
from tests.functional.test_max_iou import odd_boxes
from tests.helpers import (
    HEAD,
    NUM_CLASSES,
    annotations,
    build_heads,
    mixed,
    with_supervision,
)
from tests.models.conformance.case import flat

LEVELS, PRIORS = (5, 3, 2, 2, 1, 1), (4, 6, 6, 6, 4, 4)
COUNTS = st.lists(st.integers(0, 8), min_size=1, max_size=4)
SEEDS = st.integers(0, 10**6)
IGNORING = dict(ignore_iof_thr=0.5)


@pytest.fixture(scope='module', params=['plain', 'ignore', 'border', 'all_nearest'])
def heads(request):
    assigner = HEAD['train_cfg']['assigner']
    generator = dict(HEAD['anchor_generator'])
    del generator['basesize_ratio_range']
    generator.update(
        input_size=64,
        strides=[13, 21, 32, 32, 64, 64],
        min_sizes=[6, 12, 20, 28, 36, 44],
        max_sizes=[12, 20, 28, 36, 44, 52],
    )
    return build_heads(
        anchor_generator=generator,
        train_cfg=dict(
            plain=dict(pos_weight=2.0),
            ignore=dict(assigner={**assigner, **IGNORING}),
            border=dict(allowed_border=4),
            all_nearest=dict(assigner={**assigner, 'gt_max_assign_all': True}),
        )[request.param],
    )


def odd_batch(rng, counts):
    """Boxes that tie, huge ones, ones to ignore; images and padding of any size."""
    instances, metas, ignored = [], [], []
    for count in counts:
        boxes = odd_boxes(rng, count)
        boxes[:, 2:] += 1.0  # a box without area has an infinite offset
        labels = torch.tensor(rng.integers(NUM_CLASSES, size=count))
        instances.append(InstanceData(bboxes=boxes, labels=labels))
        size = tuple(int(side) for side in rng.integers(40, 65, 2))
        pad = tuple(min(64, -(-side // 16) * 16) for side in size)
        metas.append(dict(img_shape=size, pad_shape=pad, batch_input_shape=(64, 64)))
        # mmdet drops them where there is no object, which is mended here.
        num_ignored = int(rng.integers(0, 3)) if count else 0
        ignored.append(InstanceData(bboxes=odd_boxes(rng, num_ignored)))
    return Annotations(instances, metas, ignored)


def predictions(seed, num_images):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        [
            torch.randn(
                (num_images, priors * width, side, side), generator=generator
            ).requires_grad_()
            for side, priors in zip(LEVELS, PRIORS)
        ]
        for width in (NUM_CLASSES + 1, 4)
    )


def losses_and_touched(head, preds, batch):
    """Each loss, and which anchors the class scores were trained of."""
    losses = head.loss_by_feat(*preds, *batch)
    rows = {name: torch.stack([v.reshape(()) for v in losses[name]]) for name in losses}
    grads = torch.autograd.grad(rows['loss_cls'].sum(), preds[0], retain_graph=True)
    return rows, flat(grads, NUM_CLASSES + 1).abs().sum(-1) > 0


def compare(heads, seed, counts):
    stock, mix = heads
    batch = odd_batch(np.random.default_rng(seed), counts)
    preds = predictions(seed, len(counts))
    want, touched = losses_and_touched(stock, preds, batch)
    got, ours = losses_and_touched(mix, preds, batch)
    assert torch.equal(ours, touched)
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(SEEDS, COUNTS)
def test_unmixed_losses_are_stock(heads, seed, counts):
    """And the same anchors are mined."""
    compare(heads, seed, counts)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(SEEDS, COUNTS | st.just([500, 0, 3]))
def test_many_unmixed_losses_are_stock(heads, seed, counts):
    compare(heads, seed, counts)


def test_500_boxes_in_an_image(heads):
    compare(heads, 0, [500, 0, 3])


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=3))
def test_lossmix_is_the_stock_losses_weighed(heads, seed, counts):
    stock, mix = heads
    rng = np.random.default_rng(seed)
    sides = [odd_batch(rng, side)._replace(ignored=None) for side in zip(*counts)]
    sides[1] = sides[1]._replace(metas=sides[0].metas)
    lams = rng.choice([0.0, 0.3, 0.5, 0.9, 1.0], len(counts))
    union = mixed(*sides, lams.tolist())._replace(ignored=None)
    preds = predictions(seed, len(counts))
    got = with_supervision(mix, type='LossMix').loss_by_feat(*preds, *union)
    parts = [stock.loss_by_feat(*preds, *side) for side in sides]
    for name in got:
        for i, lam in enumerate(lams):
            want = lam * parts[0][name][i] + (1 - lam) * parts[1][name][i]
            torch.testing.assert_close(
                got[name][i].double(), want.double(), rtol=1e-6, atol=1e-7
            )


@pytest.mark.parametrize('rule', ['dominant', 'any', 'factored'])
@settings(max_examples=10, deadline=None)
@given(SEEDS, st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=3))
def test_boxmix_with_all_weight_on_a_component(heads, rule, seed, counts):
    """Where the rule has an exact limit, the stock loss of that component."""
    stock, mix = heads
    rng = np.random.default_rng(seed)
    sides = [odd_batch(rng, side)._replace(ignored=None) for side in zip(*counts)]
    sides[1] = sides[1]._replace(metas=sides[0].metas)
    if rule == 'any':
        sides[1] = sides[1]._replace(gt_instances=sides[0].gt_instances)
    head = with_supervision(mix, positives=rule, type='BoxMix')
    preds = predictions(seed, len(counts))
    for k, lam in enumerate((1.0, 0.0)):
        union = mixed(*sides, [lam] * len(counts))._replace(ignored=None)
        want, touched = losses_and_touched(stock, preds, sides[k])
        got, ours = losses_and_touched(head, preds, union)
        if mix.train_cfg['pos_weight'] <= 0:
            assert torch.equal(ours, touched)
            for name in want:
                torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=1e-7)


def test_anchors_are_made_once_for_a_size(heads):
    _, mix = heads
    maps = predictions(0, 2)[0]
    mix.batch_targets(maps, [odd_batch(np.random.default_rng(0), (1, 2))])
    first = mix._last_grid
    assert AnchorGrid.of(mix.prior_generator, maps, first) is first
    smaller = [level[..., :1] for level in maps]
    other = AnchorGrid.of(mix.prior_generator, smaller, first)
    want = mix.prior_generator.grid_priors(
        [m.shape[-2:] for m in smaller], device='cpu'
    )
    assert torch.equal(other.anchors, torch.cat(want))
    assert '_last_grid' not in str(list(mix.state_dict()))


def test_an_image_without_anchors_is_refused():
    _, mix = build_heads(train_cfg=dict(allowed_border=0))
    maps = [torch.zeros(1, 4, 38, 38)]
    mix.prior_generator.base_anchors = mix.prior_generator.base_anchors[:1]
    mix.prior_generator.strides = mix.prior_generator.strides[:1]
    grid = AnchorGrid.of(mix.prior_generator, maps)
    meta = dict(img_shape=(4, 5), pad_shape=(32, 32), img_path='tiny.jpg')
    with pytest.raises(ValueError, match=r'tiny\.jpg of .* \(4, 5\) has no anchor'):
        grid.outside([meta], 0)


@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix'])
def test_an_assigner_that_is_not_known_is_asked(monkeypatch, supervision):
    """Image by image, with the same result; the log says so once."""
    said = []
    monkeypatch.setattr(
        'mmmix.models.batch_assignment.print_log', lambda text, **_: said.append(text)
    )
    assigner = HEAD['train_cfg']['assigner']
    heads = [
        build_heads(train_cfg=dict(assigner={**assigner, **change}, allowed_border=0))[
            1
        ]
        for change in (dict(neg_iou_thr=(0.0, 0.5)), {})
    ]
    batch = mixed(annotations((3, 0, 2), 1), annotations((1, 2, 0), 2), [0.3, 1.0, 0.6])
    preds = helpers.predictions(3)
    got, want = (
        with_supervision(head, type=supervision).loss_by_feat(*preds, *batch)
        for head in heads
    )
    for name in want:
        torch.testing.assert_close(got[name], want[name])
    assert len(said) == 1
    assert 'MaxIoUAssigner and PseudoSampler' in said[0]
