"""The region proposal network's head: sampled anchors, no classes."""

from __future__ import annotations

import copy

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from tests.models.dense_heads.rpn_reference import (
    IGNORED,
    NEGATIVE,
    assign,
    merged_sample,
    rpn_boxmix,
)

from .anchor_case import AnchorCase
from .case import arrays, flat, shares_inside

SIZE = 64
SIDES = (8, 4)
THRESHOLDS = dict(positive=0.5, negative=0.3, low_quality=0.3)
ALL = dict(
    type='RandomSampler',
    num=10**6,
    pos_fraction=0.5,
    neg_pos_ub=-1,
    add_gt_as_proposals=False,
)
FEW = dict(ALL, num=32)
ASSIGNER = dict(
    type='MaxIoUAssigner',
    pos_iou_thr=0.5,
    neg_iou_thr=0.3,
    min_pos_iou=0.3,
    match_low_quality=True,
    ignore_iof_thr=-1,
)
HEAD = dict(
    in_channels=4,
    feat_channels=4,
    anchor_generator=dict(
        type='AnchorGenerator', scales=[2, 4], ratios=[0.5, 1.0, 2.0], strides=[8, 16]
    ),
    bbox_coder=dict(
        type='DeltaXYWHBBoxCoder',
        target_means=[0.0, 0.0, 0.0, 0.0],
        target_stds=[0.1, 0.1, 0.2, 0.2],
    ),
    loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True),
    loss_bbox=dict(type='L1Loss'),
    test_cfg=dict(
        nms_pre=50,
        max_per_img=20,
        nms=dict(type='nms', iou_threshold=0.7),
        min_bbox_size=0,
    ),
)


def class_agnostic(batch):
    """What a two-stage detector does for its first stage."""
    for instances in batch.gt_instances:
        instances.labels = torch.zeros_like(instances.labels)
    return batch


def inside_of(anchors, border):
    """Mask of the anchors that the head trains, for ``allowed_border``."""
    if border < 0:
        return np.ones(len(anchors), dtype=bool)
    inside = (anchors >= 0).all(1) & (anchors < SIZE).all(1)
    assert 0 < inside.sum() < len(anchors)
    return inside


def owners_of(anchors, *batches, **thresholds):
    """Per image: owners of the anchors in each batch."""
    thresholds = {**THRESHOLDS, **thresholds}
    return [
        [assign(anchors, i.bboxes.numpy(), **thresholds) for i in images]
        for images in zip(*(batch.gt_instances for batch in batches))
    ]


def sample_size(positive, negative):
    """Stock normaliser of one image when every anchor is sampled."""
    return max(int(positive.sum()), 1) + max(int(negative.sum()), 1)


class RPNCase(AnchorCase):
    name = 'rpn'
    size, maps, priors, width = SIZE, SIDES, 6, 1
    cls, reg = ('loss_rpn_cls',), ('loss_rpn_bbox',)
    references = dict(all={}, border=dict(allowed_border=0))
    ignoring = dict(all=dict(assigner=dict(ignore_iof_thr=0.5)))
    one_sample = dict(assigner=dict(neg_iou_thr=0.5))
    free = one_sample
    boxes = (4.0, 4.0, 20.0, 20.0), (36.0, 36.0, 52.0, 52.0)
    labels = (0, 0)
    has_classes = False
    steady = True

    def _build(self, sampler=ALL, assigner=(), allowed_border=-1):
        train_cfg = dict(
            assigner={**ASSIGNER, **dict(assigner)},
            sampler=sampler,
            allowed_border=allowed_border,
            pos_weight=-1,
            debug=False,
        )
        cfg = ConfigDict(**copy.deepcopy(HEAD), train_cfg=train_cfg)
        kinds = ('RPNHead', 'MixRPNHead')
        return tuple(MODELS.build(dict(copy.deepcopy(cfg), type=k)) for k in kinds)

    def owners(self, anchors, boxes):
        return assign(anchors, boxes, **THRESHOLDS)

    def batch(self, counts, seed):
        return class_agnostic(super().batch(counts, seed))

    def reference(self, head, preds, sides, lams, ignored=None, allowed_border=-1):
        anchors = self.anchors(head)
        inside = inside_of(anchors, allowed_border)
        owners = owners_of(anchors[inside], *sides)
        if ignored is not None:
            left_out = shares_inside(anchors[inside], ignored) > 0.5
            for _, other in owners:
                other[left_out] = IGNORED
        cls, reg = rpn_boxmix(
            arrays(flat(preds[0], 1))[:, inside, 0],
            arrays(flat(preds[1], 4))[:, inside],
            anchors[inside],
            owners,
            [
                [i.bboxes.numpy() for i in images]
                for images in zip(*(side.gt_instances for side in sides))
            ],
            lams,
        )
        return dict(loss_rpn_cls=cls, loss_rpn_bbox=reg)

    def counts(self, head, preds, sides, lams=None):
        owners = owners_of(self.anchors(head), *sides)
        if lams is not None:
            return [sample_size(*merged_sample(p, lam)) for p, lam in zip(owners, lams)]
        return [sample_size(owner >= 0, owner == NEGATIVE) for (owner,) in owners]


RPN = RPNCase()
