"""A small Faster R-CNN with mix-aware heads against mmdet's own."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict

from tests.helpers import NUM_CLASSES, annotations, mixed, samples_of

SIZE = 64
ASSIGNER = dict(type='MaxIoUAssigner', min_pos_iou=0.3, ignore_iof_thr=-1)
SAMPLER = dict(type='RandomSampler', neg_pos_ub=-1, pos_fraction=0.5)
NMS = dict(nms_pre=100, max_per_img=50, min_bbox_size=0)
ROI_TEST = dict(score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=9)
CODER = dict(type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2])
MODEL = dict(
    type='FasterRCNN',
    data_preprocessor=dict(type='DetDataPreprocessor', pad_size_divisor=32),
    backbone=dict(type='ResNet', depth=18, base_channels=4, norm_eval=True),
    neck=dict(type='FPN', in_channels=[4, 8, 16, 32], out_channels=8, num_outs=5),
    rpn_head=dict(
        type='RPNHead',
        in_channels=8,
        feat_channels=8,
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[4],
            ratios=[0.5, 1.0, 2.0],
            strides=[4, 8, 16, 32, 64],
        ),
        bbox_coder=CODER,
        loss_bbox=dict(type='L1Loss'),
    ),
    roi_head=dict(
        type='StandardRoIHead',
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=2, sampling_ratio=0),
            out_channels=8,
            featmap_strides=[4, 8, 16, 32],
        ),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            in_channels=8,
            fc_out_channels=16,
            roi_feat_size=2,
            num_classes=NUM_CLASSES,
            bbox_coder=CODER,
            loss_bbox=dict(type='L1Loss'),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(ASSIGNER, pos_iou_thr=0.7, neg_iou_thr=0.3),
            sampler=dict(SAMPLER, num=10**6, add_gt_as_proposals=False),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(NMS, nms=dict(type='nms', iou_threshold=0.7)),
        rcnn=dict(
            assigner=dict(
                ASSIGNER, pos_iou_thr=0.5, neg_iou_thr=0.5, match_low_quality=False
            ),
            sampler=dict(SAMPLER, num=10**6),
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(NMS, nms=dict(type='nms', iou_threshold=0.7)), rcnn=ROI_TEST
    ),
)


def build(supervision=None, num=10**6, mixer=None):
    """The detector with seeded parameters; stock without a supervision."""
    cfg = ConfigDict(copy.deepcopy(MODEL))
    cfg.train_cfg.rpn.sampler.num = cfg.train_cfg.rcnn.sampler.num = num
    if mixer:
        cfg.data_preprocessor.batch_augments = [mixer]
    if supervision:
        cfg.rpn_head.update(type='MixRPNHead', supervision=supervision)
        cfg.roi_head.update(type='MixStandardRoIHead', supervision=supervision)
        cfg.roi_head.bbox_head.type = 'MixShared2FCBBoxHead'
    model = MODELS.build(cfg).train()
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return model


def loss_of(model, inputs, batch, seed=0):
    """Named losses of a detector, each summed up."""
    torch.manual_seed(seed)
    losses = model.loss(inputs, samples_of(batch))
    return {n: sum(v) if isinstance(v, list) else v for n, v in losses.items()}


@pytest.fixture(scope='module')
def sides():
    return [annotations(n, seed=n[0], size=SIZE) for n in ((3, 1), (2, 4))]


@pytest.fixture(scope='module')
def inputs():
    return torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('kind', ['Union', 'WeightedUnion', 'LossMix', 'BoxMix'])
def test_without_mixing_it_is_stock(inputs, sides, kind):
    """Keys, losses and the random numbers used are the same, bit for bit."""
    stock, mix = build(num=16), build(dict(type=kind), num=16)
    assert list(stock.state_dict()) == list(mix.state_dict())
    stock.load_state_dict(mix.state_dict(), strict=True)
    mix.load_state_dict(stock.state_dict(), strict=True)
    got, want = (loss_of(model, inputs, sides[0]) for model in (mix, stock))
    assert got.keys() == want.keys()
    for name in want:
        assert torch.equal(got[name], want[name])


@pytest.mark.parametrize('lam', [0.3, 1.0])
def test_lossmix_is_the_weighted_sum_of_the_detectors_losses(inputs, sides, lam):
    """Identity 17 for all four terms, with one pass through the backbone."""
    stock, mix = build(), build(dict(type='LossMix'))
    calls = []
    mix.backbone.register_forward_hook(lambda *args: calls.append(1))
    got = loss_of(mix, inputs, mixed(*sides, [lam] * 2))
    parts = [loss_of(stock, inputs, side) for side in sides]
    assert len(calls) == 1
    assert got.keys() == parts[0].keys()
    for name in got:
        want = lam * parts[0][name] + (1 - lam) * parts[1][name]
        torch.testing.assert_close(got[name], want, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_the_detectors_limits(inputs, sides, lam):
    """Identity 10 for all four terms, with few samples under a seed."""
    stock, mix = build(num=16), build(dict(type='BoxMix'), num=16)
    want = loss_of(stock, inputs, sides[int(1 - lam)])
    got = loss_of(mix, inputs, mixed(*sides, [lam] * 2))
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('kind', ['WeightedUnion', 'LossMix', 'BoxMix'])
def test_it_trains_on_a_batch_mixed_by_the_preprocessor(sides, kind):
    """Images of unequal size, aligned at the centre; every layer of a head learns."""
    mixer = dict(type='MixBatch', ratio=dict(type='Uniform', low=0.2, high=0.8))
    model = build(dict(type=kind), num=64, mixer=mixer)
    samples = samples_of(sides[0])
    generator = torch.Generator().manual_seed(2)
    images = []
    for i, (sample, size) in enumerate(zip(samples, ((64, 64), (96, 64)))):
        shape = dict(img_shape=size, ori_shape=size, img_id=i)
        sample.set_metainfo(shape)
        noise = torch.randint(256, (3, *size), generator=generator)
        images.append(noise.to(torch.uint8))
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples), True)
    assert all(isinstance(sample, DetDataSample) for sample in data['data_samples'])
    assert all('mix_weights' in s.metainfo for s in data['data_samples'])
    losses = model(**data, mode='loss')
    total, logged = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    assert {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'} < logged.keys()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all(), name
        if name.endswith('.weight') and 'head' in name:
            assert (parameter.grad != 0).any(), name
