"""SSD's head: mined anchors, three rules of the positives."""

from __future__ import annotations

from tests import helpers
from tests.helpers import NUM_CLASSES, build_heads
from tests.models.dense_heads.reference import boxmix_loss, cls_loss, match, soft_labels

from .anchor_case import AnchorCase
from .case import arrays, flat, shares_inside

MANY = 10**6
ASSIGNER = helpers.HEAD['train_cfg']['assigner']


def positives(rule, owners, lam):
    """Anchors that a rule counts as positives, (A,) bool."""
    if rule == 'dominant':
        return owners[0 if lam > 0.5 else 1] >= 0
    return (owners[0] >= 0) | (owners[1] >= 0)


class SSDCase(AnchorCase):
    name = 'ssd'
    size, maps, width = helpers.SIZE, helpers.LEVELS, NUM_CLASSES + 1
    cls, reg = ('loss_cls',), ('loss_bbox',)
    rules = ('dominant', 'any', 'factored')
    limits = ('dominant', 'factored')
    references = {rule: dict(rule=rule) for rule in rules}
    free = dict(neg_pos_ratio=MANY)
    boxes = (20.0, 40.0, 90.0, 120.0), (180.0, 40.0, 250.0, 120.0)
    ignoring = dict(all=dict(assigner={**ASSIGNER, 'ignore_iof_thr': 0.5}))

    def _build(self, rule=None, **train_cfg):
        return build_heads(train_cfg=train_cfg)

    def owners(self, anchors, boxes):
        return match(anchors, boxes)

    def probabilities(self, logits):
        return logits.softmax(-1)

    def predictions(self, num_images=3, seed=0, scale=1.0):
        return helpers.predictions(num_images, seed, scale)

    def reference(self, head, preds, sides, lams, ignored=None, rule='dominant'):
        anchors = self.anchors(head)
        left_out = None
        if ignored is not None:
            left_out = shares_inside(anchors, ignored) > 0.5
        cls, reg = boxmix_loss(
            arrays(flat(preds[0], self.width)),
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
        anchors, counts = self.anchors(head), []
        for i, images in enumerate(zip(*(side.gt_instances for side in sides))):
            side = 0 if lams is None or lams[i] > 0.5 else 1
            owner = match(anchors, images[side].bboxes.numpy())
            counts.append(max(int((owner >= 0).sum()), 1))
        return counts

    def mined(self, head, preds, sides, lam, rule):
        """Of one image: its positives, (A,), n, and how many anchors are mined."""
        anchors = self.anchors(head)
        pair = [side.gt_instances[0] for side in sides]
        owners = [match(anchors, i.bboxes.numpy()) for i in pair]
        soft = soft_labels(owners, [i.labels.numpy() for i in pair], lam, NUM_CLASSES)
        logits = arrays(flat(preds[0], self.width))[0]
        _, n, mined = cls_loss(logits, soft, owners, lam, rule)
        return positives(rule, owners, lam), n, mined


SSD = SSDCase()
