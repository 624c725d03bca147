"""A small Faster R-CNN, stock or with mix-aware heads."""

from __future__ import annotations

import copy

import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from tests.helpers import NUM_CLASSES, samples_of

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
    """The detector with seeded parameters; stock without a supervision.

    Of RoIs, ``num`` are sampled; of anchors all, which ours draws from counters.
    """
    cfg = ConfigDict(copy.deepcopy(MODEL))
    cfg.train_cfg.rcnn.sampler.num = num
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
