"""BoxMix for the second stage, written out slowly and without mmdet."""

from __future__ import annotations

import numpy as np

from tests.models.dense_heads.reference import offset
from tests.models.dense_heads.rpn_reference import IGNORED, assign, merged_sample


def candidates_of(proposals, boxes, lam, with_boxes) -> tuple[np.ndarray, list]:
    """RoIs that a sampler chooses from, and who owns which of the first ones.

    The boxes of the dominant component come first, then those of the other one
    if it weighs anything, then the proposals.
    """
    weights = (lam, 1 - lam)
    order = (0, 1) if lam > 0.5 else (1, 0)
    blocks, own = [], [None, None]
    for k in order:
        if with_boxes and weights[k] > 0:
            start = sum(map(len, blocks))
            own[k] = slice(start, start + len(boxes[k]))
            blocks.append(boxes[k])
    return np.concatenate([*blocks, proposals]), own


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def roi_boxmix(
    predict, proposals, components, lams, negative=0.5, with_boxes=True, ignored=None
) -> dict[str, float]:
    """Classification and L1 regression loss of a batch, all RoIs sampled.

    Args:
        predict: Takes an image's index and (R, 4) RoIs; returns logits (R, C + 1)
            and class-specific deltas (R, C, 4).
        proposals: N arrays (P, 4).
        components: Two lists of N (boxes, labels).
        lams: N values.
        negative: IoU below which a RoI is background; it is positive from 0.5 on.
        with_boxes: Whether boxes are added to the proposals.
        ignored: Takes (R, 4) RoIs; returns which of them, (R,), the second
            component ignores, which has no objects.
    """
    cls_sum = reg_sum = count = correct = 0.0
    for i, lam in enumerate(lams):
        boxes, labels = zip(*(component[i] for component in components))
        rois, own = candidates_of(proposals[i], boxes, lam, with_boxes)
        owners = [assign(rois, b, 0.5, negative) for b in boxes]
        for owner, mine in zip(owners, own):
            if mine is not None:
                owner[mine] = np.arange(mine.stop - mine.start)
        if ignored is not None:
            owners[1][ignored(rois)] = IGNORED
        positive, other = merged_sample(owners, lam)
        sample = (positive | other).nonzero()[0]
        logits, deltas = predict(i, rois)
        soft = np.zeros_like(logits)
        for weight, owner, label in zip((lam, 1 - lam), owners, labels):
            for roi in sample:
                if owner[roi] != IGNORED:
                    place = -1 if owner[roi] < 0 else label[owner[roi]]
                    soft[roi, place] += weight
        cls_sum -= (soft * log_softmax(logits))[sample].sum()
        side = 0 if lam > 0.5 else 1
        for roi in sample:
            box = owners[side][roi]
            label = logits.shape[1] - 1 if box < 0 else labels[side][box]
            correct += logits[roi].argmax() == label
            if box >= 0:
                target = offset(rois[roi], boxes[side][box])
                reg_sum += np.abs(deltas[roi, label] - target).sum()
        count += len(sample)
    return dict(
        loss_cls=cls_sum / max(count, 1),
        loss_bbox=reg_sum / max(count, 1),
        acc=100 * correct / max(count, 1),
    )
