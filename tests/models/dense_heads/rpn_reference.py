"""BoxMix for a sampled first stage, written out slowly and without mmdet.

An anchor's owner is the index of its box, ``NEGATIVE`` or ``IGNORED``.
"""

from __future__ import annotations

import numpy as np

from .reference import iou_matrix, offset

NEGATIVE, IGNORED = -1, -2


def assign(
    priors: np.ndarray,
    boxes: np.ndarray,
    positive: float,
    negative: float,
    low_quality: float | None = None,
) -> np.ndarray:
    """Owner of every prior, (P,).

    Args:
        priors: (P, 4).
        boxes: (B, 4).
        positive: A prior with at least this IoU belongs to its best box.
        negative: A prior with less than this IoU with every box is background.
        low_quality: From this IoU on, the best priors of a box belong to it.
    """
    owner = np.full(len(priors), NEGATIVE)
    if not len(boxes) or not len(priors):
        return owner
    table = iou_matrix(priors, boxes)
    best = table.max(axis=1)
    owner[best >= negative] = IGNORED
    hit = best >= positive
    owner[hit] = table.argmax(axis=1)[hit]
    if low_quality is not None:
        for j in range(len(boxes)):
            if table[:, j].max() >= low_quality:
                owner[table[:, j] == table[:, j].max()] = j
    return owner


def merged_sample(
    owners: list[np.ndarray], lam: float
) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the positives and negatives that a sampler may draw from."""
    weights = (lam, 1 - lam)
    active = [owner for owner, weight in zip(owners, weights) if weight > 0]
    positive = np.any([owner >= 0 for owner in active], axis=0)
    return positive, np.all([owner == NEGATIVE for owner in active], axis=0)


def soft_objectness(owners: list[np.ndarray], lam: float) -> np.ndarray:
    """λ o + (1 - λ) o' per anchor, (A,)."""
    return lam * (owners[0] >= 0) + (1 - lam) * (owners[1] >= 0)


def binary_entropy(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Cross-entropy of a soft binary target."""
    log_p, log_q = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    return -(target * log_p + (1 - target) * log_q)


def rpn_boxmix(logits, deltas, anchors, owners, boxes, lams) -> tuple[float, float]:
    """Objectness and L1 regression loss of a batch, all anchors sampled.

    Args:
        logits: N arrays (A,).
        deltas: N arrays (A, 4).
        anchors: (A, 4).
        owners: N pairs of (A,).
        boxes: N pairs of (B, 4).
        lams: N values.
    """
    cls_sum = reg_sum = count = 0.0
    for z, delta, pair, box_pair, lam in zip(logits, deltas, owners, boxes, lams):
        positive, negative = merged_sample(pair, lam)
        sample = positive | negative
        known = [owner != IGNORED for owner in pair]
        both = sample & known[0] & known[1]
        soft = soft_objectness(pair, lam)
        cls_sum += binary_entropy(z[both], soft[both]).sum()
        for k, weight in enumerate((lam, 1 - lam)):
            alone = sample & known[k] & ~known[1 - k]
            hard = (pair[k][alone] >= 0).astype(float)
            cls_sum += weight * binary_entropy(z[alone], hard).sum()
        side = 0 if lam > 0.5 else 1
        for anchor in (pair[side] >= 0).nonzero()[0]:
            target = offset(anchors[anchor], box_pair[side][pair[side][anchor]])
            reg_sum += np.abs(delta[anchor] - target).sum()
        count += max(positive.sum(), 1) + max(negative.sum(), 1)
    return cls_sum / count, reg_sum / count
