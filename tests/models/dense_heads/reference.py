"""BoxMix for SSD written straight from the paper, slowly and without mmdet.

P0 = "Mixup Regularization for Region Proposal based Object Detectors".
"""

from __future__ import annotations

import math

import numpy as np

STDS = np.array([0.1, 0.1, 0.2, 0.2])


def iou_matrix(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of every anchor with every box, (A, B)."""
    table = np.zeros((len(anchors), len(boxes)), dtype=np.float32)
    for j, (x1, y1, x2, y2) in enumerate(boxes):
        width = np.minimum(anchors[:, 2], x2) - np.maximum(anchors[:, 0], x1)
        height = np.minimum(anchors[:, 3], y2) - np.maximum(anchors[:, 1], y1)
        common = np.clip(width, 0, None) * np.clip(height, 0, None)
        areas = (anchors[:, 2] - anchors[:, 0]) * (anchors[:, 3] - anchors[:, 1])
        table[:, j] = common / (areas + (x2 - x1) * (y2 - y1) - common)
    return table


def match(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """M(y): index of the box each anchor is matched to, -1 for background."""
    owner = np.full(len(anchors), -1)
    if not len(boxes):
        return owner
    table = iou_matrix(anchors, boxes)
    best = table.argmax(axis=1)
    hit = table.max(axis=1) >= 0.5
    owner[hit] = best[hit]
    for j in range(len(boxes)):
        owner[table[:, j].argmax()] = j
    return owner


def offset(anchor: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Encoded offset of a box to an anchor."""
    aw, ah = anchor[2] - anchor[0], anchor[3] - anchor[1]
    bw, bh = box[2] - box[0], box[3] - box[1]
    centre = [
        ((box[0] + box[2]) - (anchor[0] + anchor[2])) / 2 / aw,
        ((box[1] + box[3]) - (anchor[1] + anchor[3])) / 2 / ah,
    ]
    return np.array([*centre, math.log(bw / aw), math.log(bh / ah)]) / STDS


def smooth_l1(difference: np.ndarray) -> float:
    """Sum of the smooth L1 loss, beta 1."""
    size = np.abs(difference)
    return float(np.where(size < 1, 0.5 * size**2, size - 0.5).sum())


def soft_labels(
    owners: list[np.ndarray],
    labels: list[np.ndarray],
    lam: float,
    num_classes: int,
    left_out: np.ndarray | None = None,
) -> np.ndarray:
    """Eq. 8: p̃ = λ p + (1 - λ) p' per anchor, (A, C + 1).

    p' is 0 for the anchors, (A,), that the other component, empty there, leaves out.
    """
    mixed = np.zeros((len(owners[0]), num_classes + 1))
    for weight, owner, label in zip((lam, 1 - lam), owners, labels):
        for anchor, box in enumerate(owner):
            mixed[anchor, num_classes if box < 0 else label[box]] += weight
    if left_out is not None:
        mixed[left_out, num_classes] -= 1 - lam
    return mixed


def cls_loss(
    logits: np.ndarray, mixed: np.ndarray, owners: list[np.ndarray], lam: float, rule
) -> tuple[float, float, int]:
    """Mined soft cross-entropy of one image, its n, and how many were mined."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    matched = [owner >= 0 for owner in owners]
    if rule == 'factored':
        n = lam * matched[0].sum() + (1 - lam) * matched[1].sum()
        fg = -(mixed[:, :-1] * log_p[:, :-1]).sum()
        bg = sorted(-mixed[:, -1] * log_p[:, -1], reverse=True)
        mined = bg[: min(round(3 * n), len(bg))]
        return fg + sum(mined), n, len(mined)
    entropy = -(mixed * log_p).sum(axis=1)
    if rule == 'any':
        positive = matched[0] | matched[1]
    else:
        positive = matched[0] if lam > 0.5 else matched[1]
    n = int(positive.sum())
    mined = sorted(entropy[~positive], reverse=True)[: 3 * n]
    return entropy[positive].sum() + sum(mined), n, len(mined)


def boxmix_loss(
    logits, deltas, anchors, components, lams, rule, left_out=None
) -> tuple[float, float]:
    """Classification and regression loss of a batch, with the shared normaliser.

    Args:
        logits: N arrays (A, C + 1).
        deltas: N arrays (A, 4).
        anchors: (A, 4).
        components: Two lists of N (boxes, labels).
        lams: N values.
        rule: 'dominant', 'any' or 'factored'.
        left_out: See ``soft_labels``.
    """
    cls_sum, reg_sum, normaliser = 0.0, 0.0, 0.0
    for i, lam in enumerate(lams):
        pair = [component[i] for component in components]
        owners = [match(anchors, boxes) for boxes, _ in pair]
        labels, num_classes = [labels for _, labels in pair], logits[i].shape[1] - 1
        mixed = soft_labels(owners, labels, lam, num_classes, left_out)
        loss, n, _ = cls_loss(logits[i], mixed, owners, lam, rule)
        side = 0 if lam > 0.5 else 1
        for anchor in (owners[side] >= 0).nonzero()[0]:
            target = offset(anchors[anchor], pair[side][0][owners[side][anchor]])
            reg_sum += smooth_l1(deltas[i][anchor] - target)
        cls_sum += loss
        normaliser += max(n, 1)
    return cls_sum / normaliser, reg_sum / normaliser
