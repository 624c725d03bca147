"""YOLOv3's head: grid cells, neither samples nor a normaliser."""

from __future__ import annotations

import copy

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict

from tests.models.dense_heads import yolov3_reference
from tests.models.dense_heads.yolov3_reference import HEAD, SIDES, SIZE, flat, targets

from .case import Case, FreeLogits, weighted


class YOLOv3Case(Case):
    name = 'yolov3'
    exact = False
    size = SIZE
    cls, reg = ('loss_cls', 'loss_conf'), ('loss_xy', 'loss_wh')
    one_sample: dict = {}
    rtol = 1e-5
    steady = True

    def _build(self, neg_iou_thr=0.5, **settings):
        assigner = dict(
            type='GridAssigner', pos_iou_thr=0.5, neg_iou_thr=neg_iou_thr, min_pos_iou=0
        )
        cfg = ConfigDict(**copy.deepcopy(HEAD), train_cfg=dict(assigner=assigner))
        stock = MODELS.build(dict(copy.deepcopy(cfg), type='YOLOV3Head'))
        return stock, MODELS.build(dict(cfg, type='MixYOLOV3Head', **settings))

    def predictions(self, num_images=3, seed=0, scale=1.0):
        return (yolov3_reference.predictions(num_images, seed, scale),)

    def one(self, preds, index):
        (maps,) = preds
        return ([m.detach()[index : index + 1].requires_grad_() for m in maps],)

    def leaves(self, preds):
        return preds[0]

    def reference(self, head, preds, sides, lams, ignored=None):
        # The targets of an unmixed batch are the stock ones.
        lam = np.array(lams)[:, None]
        factors = ((lam, lam > 0.5), (1 - lam, lam <= 0.5))
        parts = [
            yolov3_reference.losses(preds[0], *targets(head, side), *pair)
            for side, pair in zip(sides, factors)
        ]
        return weighted(parts, (1, 1))

    def counts(self, head, preds, sides, lams=None):
        return None

    def regressed(self, head, preds, batch, side):
        losses = self.totals(head, preds, batch)
        loss = sum(losses[name] for name in self.reg)
        touched = flat(torch.autograd.grad(loss, preds[0])).abs().sum(-1) > 0
        positive = targets(head, side)[0][..., 4] > 0
        return list(zip(touched.numpy(), positive))

    def free_logits(self):
        stock, mix = self.build(neg_iou_thr=1.0)
        sides = [self.batch((1,), seed) for seed in (1, 2)]
        boxes, labels = ((4.0, 4.0, 40.0, 40.0), (60.0, 62.0, 90.0, 86.0)), (3, 7)
        for side, box, label in zip(sides, boxes, labels):
            side.gt_instances[0].bboxes = torch.tensor([box])
            side.gt_instances[0].labels = torch.tensor([label])
        preds = self.predictions(1, scale=0.0)

        def column(k, index):
            positive = targets(stock, sides[k])[0][0, :, 4] > 0
            return flat(preds[0])[0].sigmoid()[torch.tensor(positive), index]

        return FreeLogits(
            mix,
            sides,
            preds,
            preds[0],
            self.cls,
            lambda k: column(k, 4),
            lambda k: column(k, 5 + labels[k]),
        )

    def autocast(self, head):
        feats = [torch.randn(3, 4, side, side) for side in SIDES]
        with torch.autocast('cpu', dtype=torch.bfloat16):
            preds = head(feats)
        return preds, [[m.float() for m in maps] for maps in preds], preds[0][0].dtype


YOLOV3 = YOLOv3Case()
