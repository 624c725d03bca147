"""RetinaNet's head: all anchors count, and each part has a normaliser."""

from __future__ import annotations

import copy

import numpy as np
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from tests.helpers import NUM_CLASSES
from tests.models.dense_heads.reference import STDS, iou_matrix, offset

from .anchor_case import AnchorCase
from .case import arrays, flat, shares_inside

ALPHA, GAMMA = 0.25, 2.0
ASSIGNER = dict(
    type='MaxIoUAssigner',
    pos_iou_thr=0.5,
    neg_iou_thr=0.4,
    min_pos_iou=0,
    gt_max_assign_all=False,
)
HEAD = dict(
    num_classes=NUM_CLASSES,
    in_channels=4,
    stacked_convs=1,
    feat_channels=4,
    anchor_generator=dict(
        type='AnchorGenerator',
        octave_base_scale=2,
        scales_per_octave=3,
        ratios=[0.5, 1.0, 2.0],
        strides=[8, 16],
    ),
    bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=STDS.tolist()),
    loss_bbox=dict(type='L1Loss'),
)


def focal_loss(logits, labels):
    """Sum over anchors and classes; a label is -1 for background."""
    loss = 0.0
    for row, label in zip(1 / (1 + np.exp(-logits)), labels):
        for c, p in enumerate(row):
            if c == label:
                loss -= ALPHA * (1 - p) ** GAMMA * np.log(p)
            else:
                loss -= (1 - ALPHA) * p**GAMMA * np.log(1 - p)
    return loss


class RetinaNetCase(AnchorCase):
    name = 'retinanet'
    size, maps, priors, width = 64, (8, 4), 9, NUM_CLASSES
    cls, reg = ('loss_cls',), ('loss_bbox',)
    ignoring = dict(all=dict(assigner={**ASSIGNER, 'ignore_iof_thr': 0.5}))
    one_sample: dict = {}
    steady = True
    free = dict(alpha=0.5, gamma=0.0)
    boxes = (4.0, 4.0, 24.0, 24.0), (36.0, 36.0, 56.0, 56.0)

    def _build(self, assigner=ASSIGNER, alpha=ALPHA, gamma=GAMMA):
        sampler = dict(type='PseudoSampler')
        train = dict(assigner=assigner, sampler=sampler, allowed_border=-1)
        focal = dict(type='FocalLoss', use_sigmoid=True, gamma=gamma, alpha=alpha)
        cfg = ConfigDict(copy.deepcopy(HEAD), loss_cls=focal)
        cfg.train_cfg = dict(**train, pos_weight=-1, debug=False)
        kinds = ('RetinaHead', 'MixRetinaHead')
        return tuple(MODELS.build(copy.deepcopy(dict(cfg, type=k))) for k in kinds)

    def owners(self, anchors, boxes):
        """-1 for background, -2 for neither."""
        if not len(boxes):
            return np.full(len(anchors), -1)
        table = iou_matrix(anchors, boxes)
        best, top = table.argmax(axis=1), table.max(axis=1)
        owners = np.where(top >= 0.5, best, np.where(top < 0.4, -1, -2))
        for j in range(len(boxes)):
            owners[table[:, j].argmax()] = j
        return owners

    def reference(self, head, preds, sides, lams, ignored=None):
        anchors = self.anchors(head)
        logits, deltas = arrays(flat(preds[0], NUM_CLASSES)), arrays(flat(preds[1], 4))
        loss = dict(loss_cls=0.0, loss_bbox=0.0)
        for k, side in enumerate(sides):
            total = sum(self.counts(head, preds, [side]))
            for i, (lam, instances) in enumerate(zip(lams, side.gt_instances)):
                boxes, labels = instances.bboxes.numpy(), instances.labels.numpy()
                owners = self.owners(anchors, boxes)
                if ignored is not None and k == 1:
                    owners[shares_inside(anchors, ignored) > 0.5] = -2
                kept = owners > -2
                named = np.append(labels, -1)[owners[kept]]
                share = (lam, 1 - lam)[k] / total
                loss['loss_cls'] += share * focal_loss(logits[i][kept], named)
                if k == (0 if lam > 0.5 else 1):
                    for a in np.flatnonzero(owners >= 0):
                        goal = offset(anchors[a], boxes[owners[a]])
                        loss['loss_bbox'] += np.abs(deltas[i][a] - goal).sum() / total
        return loss

    def counts(self, head, preds, sides, lams=None):
        anchors = self.anchors(head)
        owners = [self.owners(anchors, i.bboxes.numpy()) for i in sides[0].gt_instances]
        return [max(int((owner >= 0).sum()), 1) for owner in owners]


RETINANET = RetinaNetCase()
