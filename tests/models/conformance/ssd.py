"""SSD's head: mined anchors, three rules of the positives."""

from __future__ import annotations

import torch
from mmdet.structures.bbox import cat_boxes

from tests import helpers
from tests.helpers import LEVELS, NUM_CLASSES, build_heads
from tests.models.dense_heads.reference import boxmix_loss, cls_loss, match, soft_labels

from .case import Case, FreeLogits, arrays, flat, shares_inside

MANY = 10**6
ASSIGNER = helpers.HEAD['train_cfg']['assigner']


def flat_anchors(head):
    """All anchors, (A, 4)."""
    sizes = [(side, side) for side in LEVELS]
    return cat_boxes(head.prior_generator.grid_priors(sizes, device='cpu')).numpy()


def positives(rule, owners, lam):
    """Anchors that a rule counts as positives, (A,) bool."""
    if rule == 'dominant':
        return owners[0 if lam > 0.5 else 1] >= 0
    return (owners[0] >= 0) | (owners[1] >= 0)


class SSDCase(Case):
    name = 'ssd'
    exact = False
    size = helpers.SIZE
    cls, reg = ('loss_cls',), ('loss_bbox',)
    rules = ('dominant', 'any', 'factored')
    limits = ('dominant', 'factored')
    references = {rule: dict(rule=rule) for rule in rules}
    ignoring = dict(all=dict(assigner={**ASSIGNER, 'ignore_iof_thr': 0.5}))

    def _build(self, rule=None, **train_cfg):
        return build_heads(train_cfg=train_cfg)

    def predictions(self, num_images=3, seed=0, scale=1.0):
        return helpers.predictions(num_images, seed, scale)

    def one(self, preds, index):
        return tuple(
            [level.detach()[index : index + 1].requires_grad_() for level in maps]
            for maps in preds
        )

    def leaves(self, preds):
        return [*preds[0], *preds[1]]

    def reference(self, head, preds, sides, lams, ignored=None, rule='dominant'):
        anchors = flat_anchors(head)
        left_out = None
        if ignored is not None:
            left_out = shares_inside(anchors, ignored) > 0.5
        cls, reg = boxmix_loss(
            arrays(flat(preds[0], NUM_CLASSES + 1)),
            arrays(flat(preds[1], 4)),
            anchors,
            [
                [(i.bboxes.numpy(), i.labels.numpy()) for i in s.gt_instances]
                for s in sides
            ],
            lams,
            rule,
            left_out,
        )
        return dict(loss_cls=cls, loss_bbox=reg)

    def counts(self, head, preds, sides, lams=None):
        anchors, counts = flat_anchors(head), []
        for i, images in enumerate(zip(*(side.gt_instances for side in sides))):
            side = 0 if lams is None or lams[i] > 0.5 else 1
            owner = match(anchors, images[side].bboxes.numpy())
            counts.append(max(int((owner >= 0).sum()), 1))
        return counts

    def regressed(self, head, preds, batch, side):
        anchors = flat_anchors(head)
        loss = self.totals(head, preds, batch)['loss_bbox']
        touched = flat(torch.autograd.grad(loss, preds[1]), 4).abs().sum(-1) > 0
        return [
            (image.numpy(), match(anchors, instances.bboxes.numpy()) >= 0)
            for image, instances in zip(touched, side.gt_instances)
        ]

    def free_logits(self):
        _, mix = self.build(neg_pos_ratio=MANY)
        # Moved by a multiple of the strides they match at, so that n is the same.
        boxes = torch.tensor([[20.0, 40.0, 90.0, 120.0], [180.0, 40.0, 250.0, 120.0]])
        labels = (3, 7)
        sides = [self.batch((1,), seed) for seed in (1, 2)]
        for side, box, label in zip(sides, boxes, labels):
            side.gt_instances[0].bboxes = box[None]
            side.gt_instances[0].labels = torch.tensor([label])
        preds = self.predictions(1, scale=0.0)

        def probability(k):
            matched = match(flat_anchors(mix), boxes[k : k + 1].numpy()) >= 0
            probs = flat(preds[0], NUM_CLASSES + 1)[0].softmax(-1)
            return probs[torch.tensor(matched), labels[k]]

        return FreeLogits(mix, sides, preds, preds[0], self.cls, probability)

    def autocast(self, head):
        feats = [torch.randn(3, 4, side, side) for side in LEVELS]
        with torch.autocast('cpu', dtype=torch.bfloat16):
            preds = head(feats)
        return preds, [[m.float() for m in maps] for maps in preds], preds[0][0].dtype

    def mined(self, head, preds, sides, lam, rule):
        """Of one image: its positives, (A,), n, and how many anchors are mined."""
        anchors = flat_anchors(head)
        pair = [side.gt_instances[0] for side in sides]
        owners = [match(anchors, i.bboxes.numpy()) for i in pair]
        soft = soft_labels(owners, [i.labels.numpy() for i in pair], lam, NUM_CLASSES)
        logits = arrays(flat(preds[0], NUM_CLASSES + 1))[0]
        _, n, mined = cls_loss(logits, soft, owners, lam, rule)
        return positives(rule, owners, lam), n, mined


SSD = SSDCase()
