"""YOLOv3's and RetinaNet's losses of a whole batch at once, on odd batches."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from tests.helpers import NUM_CLASSES, mixed, total, with_supervision
from tests.models.conformance.case import identical
from tests.models.conformance.retinanet import HEAD
from tests.models.conformance.yolov3 import YOLOV3

from .test_batch_targets import odd_batch

SEEDS = st.integers(0, 10**6)
COUNTS = st.tuples(*[st.tuples(*[st.integers(0, 6)] * 2)] * 3)
RETINA = {
    **HEAD,
    'bbox_coder': dict(type='DeltaXYWHBBoxCoder'),
    'loss_cls': dict(type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25),
}
TRAIN = dict(
    assigner=dict(
        type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0
    ),
    sampler=dict(type='PseudoSampler'),
    allowed_border=-1,
    pos_weight=-1,
    debug=False,
)


@pytest.fixture(scope='module')
def yolo():
    return YOLOV3.build()


@pytest.fixture(scope='module', params=['offsets', 'boxes'])
def retina(request):
    """Heads that regress offsets, or decoded boxes."""
    decoded = dict(reg_decoded_bbox=True, loss_bbox=dict(type='GIoULoss'))
    return retina_heads(**(decoded if request.param == 'boxes' else {}))


def retina_heads(**settings):
    """A stock and a mix-aware head."""
    cfg = {**RETINA, **settings}
    return tuple(
        MODELS.build(ConfigDict(type=kind, train_cfg=TRAIN, **copy.deepcopy(cfg)))
        for kind in ('RetinaHead', 'MixRetinaHead')
    )


def sides_of(seed, counts):
    """Two batches on canvases of one size."""
    rng = np.random.default_rng(seed)
    first, second = (
        odd_batch(rng, side)._replace(ignored=None) for side in zip(*counts)
    )
    return first, second._replace(metas=first.metas)


def maps(num_images, seed, anchors, width):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(
            (num_images, anchors * width, side, side), generator=generator
        ).requires_grad_()
        for side in (8, 4)
    ]


@settings(max_examples=15, deadline=None)
@given(SEEDS, COUNTS)
def test_yolov3_is_as_one_image_after_the_other(yolo, seed, counts):
    """Which the conformance suite compares with stock; boxes lie outside here, too."""
    _, mix = yolo
    slow = copy.copy(mix)
    slow.assigns_at_once = lambda: False
    sides, preds = sides_of(seed, counts), YOLOV3.predictions(3, seed)
    losses = slow.loss_by_feat(*preds, *sides[0])
    identical(mix.loss_by_feat(*preds, *sides[0]), losses, exact=False)
    union = mixed(*sides, [0.2, 0.5, 0.9])._replace(ignored=None)
    for name in ('LossMix', 'BoxMix', 'WeightedUnion'):
        got, want = (
            total(with_supervision(head, type=name).loss_by_feat(*preds, *union))
            for head in (mix, slow)
        )
        for key in want:
            torch.testing.assert_close(got[key], want[key], rtol=2e-6, atol=1e-7)


def test_yolov3_with_losses_that_are_means_goes_level_by_level(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.models.batch_assignment.print_log', lambda text, **_: said.append(text)
    )
    stock, mix = YOLOV3.build()
    for head in (stock, mix):
        head.loss_cls.reduction = 'mean'
    batch, preds = YOLOV3.sides()[0], YOLOV3.predictions()
    for _ in range(2):
        got = mix.loss_by_feat(*preds, *batch)
    identical(got, stock.loss_by_feat(*preds, *batch))
    assert len(said) == 1


@settings(max_examples=15, deadline=None)
@given(SEEDS, COUNTS)
def test_retinanet_is_stock_and_lossmix_its_weighed_sum(retina, seed, counts):
    stock, mix = retina
    sides = sides_of(seed, counts)
    preds = [maps(3, seed, 9, width) for width in (NUM_CLASSES, 4)]
    parts = [stock.loss_by_feat(*preds, *side) for side in sides]
    got = mix.loss_by_feat(*preds, *sides[0])
    assert list(got) == list(parts[0])
    for name in got:
        for level, want in zip(got[name], parts[0][name], strict=True):
            torch.testing.assert_close(level, want, rtol=1e-6, atol=1e-7)
    union = mixed(*sides, [0.3] * 3)._replace(ignored=None)
    got = total(with_supervision(mix, type='LossMix').loss_by_feat(*preds, *union))
    parts = [total(part) for part in parts]
    for name in got:
        want = 0.3 * parts[0][name] + 0.7 * parts[1][name]
        torch.testing.assert_close(got[name], want, rtol=2e-6, atol=1e-7)


def test_a_background_anchor_that_is_predicted_as_itself_costs_nothing():
    """CIoU's term of the aspect is 0 / 0 where both boxes are one."""
    loss = dict(type='CIoULoss')
    heads = retina_heads(reg_decoded_bbox=True, loss_bbox=loss)
    batch = sides_of(0, ((2, 0), (0, 0), (1, 0)))[0]
    scores, offsets = maps(3, 0, 9, NUM_CLASSES), maps(3, 0, 9, 4)
    for level in offsets:
        level.data.zero_()
    want, got = (
        sum(h.loss_by_feat(scores, offsets, *batch)['loss_bbox']) for h in heads
    )
    torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-7)
    for gradient in torch.autograd.grad(got, offsets):
        assert gradient.isfinite().all()


def test_retinanet_with_a_rule_that_is_not_known_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.models.batch_assignment.print_log', lambda text, **_: said.append(text)
    )
    assigner = {**TRAIN['assigner'], 'neg_iou_thr': (0.0, 0.4)}
    train = {**TRAIN, 'assigner': assigner}
    stock, mix = (
        MODELS.build(ConfigDict(type=kind, train_cfg=train, **copy.deepcopy(RETINA)))
        for kind in ('RetinaHead', 'MixRetinaHead')
    )
    preds = [maps(3, 0, 9, width) for width in (NUM_CLASSES, 4)]
    batch = sides_of(0, [(1, 1)] * 3)[0]
    for _ in range(2):
        got = mix.loss_by_feat(*preds, *batch)
    identical(got, stock.loss_by_feat(*preds, *batch))
    assert len(said) == 1
    assert 'MaxIoUAssigner and PseudoSampler' in said[0]


def test_a_subclass_that_makes_its_own_targets_is_heard(retina):
    """Nothing of it is passed over."""
    stock, mix = retina
    asked = []

    class Own(type(mix)):
        def get_targets(self, *args, **kwargs):
            asked.append(1)
            return super().get_targets(*args, **kwargs)

    head = copy.copy(mix)
    head.__class__ = Own
    preds = [maps(3, 0, 9, width) for width in (NUM_CLASSES, 4)]
    batch = sides_of(0, [(1, 1)] * 3)[0]
    got = head.loss_by_feat(*preds, *batch)
    identical(got, stock.loss_by_feat(*preds, *batch))
    assert asked
