"""Faster R-CNN's second stage: sampled RoIs, predictions made of features."""

from __future__ import annotations

import copy

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from tests.helpers import NUM_CLASSES, random_boxes, samples_of
from tests.models.dense_heads.rpn_reference import assign
from tests.models.roi_heads.reference import roi_boxmix

from .case import Case, FreeLogits, shares_inside

SIZE = 64
ALL = dict(
    type='RandomSampler',
    num=10**6,
    pos_fraction=0.5,
    neg_pos_ub=-1,
    add_gt_as_proposals=True,
)
FEW = dict(ALL, num=16, pos_fraction=0.25)
NO_BOXES = dict(ALL, add_gt_as_proposals=False)
ASSIGNER = dict(
    type='MaxIoUAssigner',
    pos_iou_thr=0.5,
    neg_iou_thr=0.5,
    min_pos_iou=0.5,
    match_low_quality=False,
    ignore_iof_thr=-1,
)
EXTRACTOR = dict(
    type='SingleRoIExtractor',
    roi_layer=dict(type='RoIAlign', output_size=2, sampling_ratio=0),
    out_channels=4,
    featmap_strides=[8, 16],
    finest_scale=20,
)
TEST = dict(score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=10)
OWN_SIZE = dict(
    Shared2FCBBoxHead=dict(fc_out_channels=8), BBoxHead=dict(with_avg_pool=True)
)


def build_heads(sampler=ALL, assigner=(), box_head='Shared2FCBBoxHead', **settings):
    """A stock ``StandardRoIHead`` and a ``MixStandardRoIHead``, same parameters."""
    size = dict(in_channels=4, roi_feat_size=2, num_classes=NUM_CLASSES)
    size.update(OWN_SIZE[box_head])
    cfg = ConfigDict(
        bbox_roi_extractor=EXTRACTOR,
        bbox_head=dict(
            dict(type=box_head, loss_bbox=dict(type='L1Loss'), **size), **settings
        ),
        train_cfg=dict(
            assigner={**ASSIGNER, **dict(assigner)},
            sampler=sampler,
            pos_weight=-1,
            debug=False,
        ),
        test_cfg=TEST,
    )
    torch.manual_seed(0)
    stock = MODELS.build(dict(copy.deepcopy(cfg), type='StandardRoIHead'))
    # Predictions that are far from uniform, and right now and then.
    stock.bbox_head.fc_cls.weight.data *= 8
    stock.bbox_head.fc_cls.bias.data[-1] += 2
    cfg.bbox_head.type = 'Mix' + box_head
    mix = MODELS.build(dict(cfg, type='MixStandardRoIHead'))
    mix.load_state_dict(stock.state_dict(), strict=True)
    return stock, mix


def predictor(head, feats):
    """``predict`` of the reference, with the head's network."""

    def predict(index, boxes):
        boxes = torch.tensor(boxes).float()
        rois = torch.cat([torch.full((len(boxes), 1), float(index)), boxes], 1)
        with torch.no_grad():
            outputs = head._bbox_forward(feats, rois)
        logits = outputs['cls_score'].double().numpy()
        deltas = outputs['bbox_pred'].double().numpy()
        return logits, deltas.reshape(len(boxes), -1, 4)

    return predict


class Spy:
    """Keeps the RoIs and predictions of each pass through a head's network."""

    def __init__(self, head):
        self.head = copy.copy(head)
        self.passes = []
        forward = head._bbox_forward

        def record(feats, rois):
            outputs = forward(feats, rois)
            outputs['bbox_pred'].retain_grad()
            outputs['cls_score'].retain_grad()
            self.passes.append((rois, outputs))
            return outputs

        self.head._bbox_forward = record


class RoICase(Case):
    name = 'roi'
    size = SIZE
    cls, reg = ('loss_cls',), ('loss_bbox',)
    samplers = dict(
        all={},
        no_boxes=dict(sampler=NO_BOXES),
        low=dict(assigner=dict(match_low_quality=True)),
        low_no_boxes=dict(sampler=NO_BOXES, assigner=dict(match_low_quality=True)),
    )
    unmixed = dict(shared={}, plain=dict(box_head='BBoxHead'))
    exact = False  # and a few RoIs are drawn with other random numbers
    steady = True
    references = dict(
        all={},
        no_boxes=dict(sampler=NO_BOXES),
        low=dict(assigner=dict(neg_iou_thr=0.3)),
    )
    ignoring = dict(
        all=dict(assigner=dict(ignore_iof_thr=0.5)),
        no_boxes=dict(assigner=dict(ignore_iof_thr=0.5), sampler=NO_BOXES),
    )
    one_sample = dict(sampler=NO_BOXES)

    def _build(self, **settings):
        return build_heads(**settings)

    def predictions(self, num_images=3, seed=4):
        """Features, and proposals: two near every box and 30 random ones."""
        generator = torch.Generator().manual_seed(seed)
        feats = tuple(
            torch.randn(num_images, 4, s, s, generator=generator).requires_grad_()
            for s in (8, 4)
        )
        rng, proposals = np.random.default_rng(7), []
        images = zip(*(side.gt_instances[:num_images] for side in self.sides()))
        for a, b in images:
            boxes = torch.cat([a.bboxes, b.bboxes]).repeat(2, 1)
            near = boxes + torch.tensor(rng.uniform(-2, 2, boxes.shape)).float()
            bboxes = torch.cat([near, random_boxes(rng, 30, SIZE)])
            scores = torch.rand(len(bboxes), generator=torch.Generator().manual_seed(1))
            proposals.append(
                InstanceData(bboxes=bboxes, scores=scores, labels=scores.long())
            )
        return feats, proposals

    def one(self, preds, index):
        feats, proposals = preds
        return (
            tuple(f.detach()[index : index + 1].requires_grad_() for f in feats),
            proposals[index : index + 1],
        )

    def leaves(self, preds):
        return preds[0]

    def _losses(self, head, preds, batch):
        feats, proposals = preds
        samples = samples_of(batch)
        for sample, ignored in zip(samples, batch.ignored):
            if ignored is not None:
                sample.ignored_instances = ignored
        return head.loss(feats, [p.new() for p in proposals], samples)

    def reference(
        self, head, preds, sides, lams, ignored=None, sampler=ALL, assigner=()
    ):
        feats, proposals = preds
        return roi_boxmix(
            predictor(head, feats),
            [p.bboxes.numpy() for p in proposals],
            [
                [(i.bboxes.numpy(), i.labels.numpy()) for i in s.gt_instances]
                for s in sides
            ],
            lams,
            negative=dict(assigner).get('neg_iou_thr', 0.5),
            with_boxes=sampler is ALL,
            ignored=ignored and (lambda rois: shares_inside(rois, ignored) > 0.5),
        )

    def counts(self, head, preds, sides, lams=None):
        lams = lams or [1.0] * len(preds[1])
        return [
            len(proposals.bboxes)
            + sum(len(i) for i, w in zip(images, (lam, 1 - lam)) if w > 0)
            for proposals, lam, *images in zip(
                preds[1], lams, *(side.gt_instances for side in sides)
            )
        ]

    def regressed(self, head, preds, batch, side):
        """At the place of the label of its positives."""
        spy = Spy(head)
        self.totals(spy.head, preds, batch)['loss_bbox'].backward()
        ((rois, outputs),) = spy.passes
        gradient = outputs['bbox_pred'].grad.view(len(rois), NUM_CLASSES, 4)
        pairs = []
        for i, instances in enumerate(side.gt_instances):
            mine = rois[:, 0] == i
            touched = gradient[mine].abs().sum(-1).numpy() > 0
            owner = assign(rois[mine, 1:].numpy(), instances.bboxes.numpy(), 0.5, 0.5)
            expected = np.zeros_like(touched)
            rows = (owner >= 0).nonzero()[0]
            expected[rows, instances.labels.numpy()[owner[rows]]] = True
            pairs.append((touched, expected))
        return pairs

    def free_logits(self):
        head = copy.copy(self.build(**self.one_sample)[1])
        boxes = torch.tensor([[4.0, 4.0, 20.0, 20.0], [36.0, 36.0, 52.0, 52.0]])
        sides, labels = [self.batch((1,), seed) for seed in (1, 2)], (3, 7)
        for side, box, label in zip(sides, boxes, labels):
            side.gt_instances[0].bboxes = box[None]
            side.gt_instances[0].labels = torch.tensor([label])
        logits = torch.zeros(2, NUM_CLASSES + 1, requires_grad=True)

        def forward(feats, rois):
            rows = (rois[:, None, 1:] == boxes).all(-1).int().argmax(1)
            return dict(
                cls_score=logits[rows],
                bbox_pred=torch.zeros(len(rois), 4 * NUM_CLASSES),
                bbox_feats=None,
            )

        head._bbox_forward = forward
        preds = ([torch.zeros(1, 4, 8, 8)], [InstanceData(bboxes=boxes)])

        def probability(k):
            return logits.softmax(-1)[k, labels[k]][None]

        return FreeLogits(head, sides, preds, [logits], self.cls, probability)

    def autocast(self, head):
        """The head's network runs in its loss; features are the predictions."""
        preds = self.predictions()
        rois = torch.tensor([[0.0, 4.0, 4.0, 20.0, 20.0]])
        with torch.autocast('cpu', dtype=torch.bfloat16):
            dtype = head._bbox_forward(preds[0], rois)['cls_score'].dtype
        return preds, preds, dtype


ROI = RoICase()
