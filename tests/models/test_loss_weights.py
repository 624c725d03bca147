"""A loss that does not heed the weights of its samples would lose λ without a word."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.losses import GHMC, L1Loss
from mmdet.registry import MODELS
from torch import nn

from mmmix.apis.configs.config_reading import read_config
from mmmix.models.loss_weights import deaf_losses
from tests.helpers import mixed, with_supervision

from .conformance.case import identical
from .conformance.retinanet import RETINANET
from .conformance.roi import ROI
from .conformance.rpn import RPN
from .conformance.ssd import SSD

GHM = dict(type='GHMC', bins=10, momentum=0.0)
GHM_BOXES = dict(type='GHMR', mu=0.02, bins=10, momentum=0.0)
EQL = dict(type='EQLV2Loss', num_classes=3)


@pytest.mark.parametrize(
    ('name', 'loss', 'deaf'),
    [
        ('loss_cls', dict(type='CrossEntropyLoss'), False),
        ('loss_cls', dict(type='CrossEntropyLoss', use_sigmoid=True), False),
        ('loss_cls', dict(type='FocalLoss'), False),
        ('loss_cls', dict(type='SeesawLoss', num_classes=3), False),
        ('loss_cls', dict(type='SeesawLoss', num_classes=3, return_dict=False), False),
        ('loss_cls', GHM, True),
        ('loss_cls', EQL, True),
        ('loss_bbox', dict(type='L1Loss'), False),
        ('loss_bbox', dict(type='SmoothL1Loss'), False),
        ('loss_bbox', dict(type='BalancedL1Loss'), False),
        ('loss_bbox', dict(type='MSELoss'), False),
        ('loss_bbox', dict(type='IoULoss'), False),
        ('loss_bbox', dict(type='GIoULoss'), False),
        ('loss_bbox', dict(type='DIoULoss'), False),
        ('loss_bbox', dict(type='CIoULoss'), False),
        ('loss_bbox', dict(type='BoundedIoULoss'), False),
        ('loss_bbox', GHM_BOXES, True),
    ],
)
def test_losses_of_mmdet(name, loss, deaf):
    built = MODELS.build(loss)
    before = copy.deepcopy(built.state_dict())
    found = deaf_losses({name: built}, num_classes=3)
    assert found == [f'{name}={loss["type"]}'] * deaf
    for key, value in built.state_dict().items():
        assert torch.equal(value, before[key]), 'the loss itself is not to be asked'


def test_a_loss_of_ones_own_is_asked():
    class Proud(nn.Module):
        def forward(self, pred, target, weight=None, avg_factor=None):
            return pred.abs().sum() / avg_factor

    assert deaf_losses(dict(loss_cls=Proud(), loss_bbox=L1Loss()), 3) == [
        'loss_cls=Proud'
    ]


@pytest.fixture
def ghm_retina():
    stock, mix = RETINANET.build()
    stock.loss_cls = MODELS.build(GHM)
    mix.loss_cls = MODELS.build(GHM)
    return stock, mix


@pytest.mark.parametrize('supervision', ['LossMix', 'BoxMix', 'WeightedUnion'])
def test_a_dense_head_refuses(ghm_retina, supervision):
    head = with_supervision(ghm_retina[1], type=supervision)
    batch = mixed(*RETINANET.sides(), (0.9, 0.3, 0.5))
    with pytest.raises(ValueError, match=rf'{supervision}.*loss_cls=GHMC.*LossMixDet'):
        RETINANET.losses(head, RETINANET.predictions(), batch)


def test_a_dense_head_refuses_when_it_is_built():
    cfg = dict(
        type='MixRetinaHead',
        num_classes=3,
        in_channels=4,
        loss_cls=GHM,
        supervision=dict(type='LossMix'),
    )
    with pytest.raises(ValueError, match='MixRetinaHead.*loss_cls=GHMC'):
        MODELS.build(cfg)
    MODELS.build(dict(cfg, supervision=dict(type='Union')))


def test_union_needs_no_weights(ghm_retina):
    stock, mix = ghm_retina
    union = mixed(*RETINANET.sides(), (0.9, 0.3, 0.5))
    preds = RETINANET.predictions()
    want = RETINANET.losses(stock, preds, union)
    identical(RETINANET.losses(mix, preds, union), want, RETINANET.exact)
    assert isinstance(mix.loss_cls, GHMC)


def test_a_second_stage_refuses():
    _, mix = ROI.build(loss_cls=EQL)
    batch = mixed(*ROI.sides(), (0.9, 0.3, 0.5))
    for supervision in ('LossMix', 'BoxMix', 'WeightedUnion'):
        head = with_supervision(mix, type=supervision)
        with pytest.raises(ValueError, match=r'bbox_head.*loss_cls=EQLV2Loss'):
            ROI.losses(head, ROI.predictions(), batch)
    _, mix = ROI.build(with_reg=False)
    with pytest.raises(ValueError, match='with_reg=False'):
        ROI.losses(with_supervision(mix, type='LossMix'), ROI.predictions(), batch)


@pytest.mark.parametrize('settings', [dict(loss_bbox=GHM_BOXES), dict(with_reg=False)])
def test_a_second_stage_without_mixing_is_stock(settings):
    stock, mix = ROI.build(**settings)
    preds, (batch, _) = ROI.predictions(), ROI.sides()
    want = ROI.losses(stock, preds, batch, seed=3)
    assert ('loss_bbox' in want) == ('loss_bbox' in settings)
    identical(ROI.losses(mix, preds, batch, seed=3), want, exact=False)


def test_proposals_without_mixing_are_stock():
    heads = RPN.build()
    for head in heads:
        head.loss_bbox = MODELS.build(GHM_BOXES)
    preds, (batch, _) = RPN.predictions(), RPN.sides()
    want, got = (RPN.losses(head, preds, batch, seed=3) for head in heads)
    identical(got, want, exact=False)


def test_half_precision_on_a_cpu_is_stock():
    stock, mix = SSD.build()
    preds, (batch, _) = SSD.predictions(), SSD.sides()
    preds = [[level.bfloat16() for level in maps] for maps in preds]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        want, got = (SSD.losses(head, preds, batch) for head in (stock, mix))
    identical(got, want, exact=False)


def test_a_method_by_name_wraps_what_would_not_heed_it():
    name = 'mmdet::ghm/retinanet_r50_fpn_ghm-1x_coco.py'
    cfg = read_config(name, mix='lossmix')
    assert (cfg.model.type, cfg.model.detector) == ('LossMixDetector', 'RetinaNet')
    assert cfg.model.bbox_head.type == 'RetinaHead'
    with pytest.raises(ValueError, match='loss_cls=GHMC, loss_bbox=GHMR.*lossmix'):
        read_config(name, mix='boxmix')


def test_a_cascade_is_refused_in_words():
    name = 'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py'
    with pytest.raises(ValueError, match='does not reach its heads.*CascadeRoIHead'):
        read_config(name, mix='boxmix')
