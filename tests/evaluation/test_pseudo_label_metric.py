"""Precision and recall of pseudo-labels, against counts by hand and a slow loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmmix.evaluation import PseudoLabelMetric

BOX = [10.0, 10.0, 30.0, 30.0]
NEAR = [11.0, 10.0, 31.0, 30.0]  # IoU 0.909 with BOX
FAR = [50.0, 50.0, 70.0, 70.0]


def instances(boxes, labels, scores=None):
    fields = dict(
        bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.tensor(labels).long()
    )
    return fields if scores is None else dict(fields, scores=torch.tensor(scores))


def evaluate(samples, **settings):
    metric = PseudoLabelMetric(**settings)
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_counts_by_hand():
    sample = dict(
        # Taken by NEAR, which scores higher; FAR is of another class, then right.
        pred_instances=instances(
            [BOX, NEAR, FAR, FAR], [1, 1, 1, 2], [0.6, 0.8, 0.9, 0.4]
        ),
        gt_instances=instances([BOX, FAR], [1, 2]),
    )
    empty = dict(
        pred_instances=instances([], [], []), gt_instances=instances([BOX], [1])
    )
    got = evaluate([sample, empty], score_thrs=(0.3, 0.6, 0.85, 0.95))
    assert got == pytest.approx(
        {
            'pseudo/precision_0.3': 2 / 4,
            'pseudo/recall_0.3': 2 / 3,
            'pseudo/count_0.3': 4 / 2,
            'pseudo/precision_0.6': 1 / 2,
            'pseudo/recall_0.6': 1 / 3,
            'pseudo/count_0.6': 2 / 2,
            'pseudo/precision_0.85': 0,
            'pseudo/recall_0.85': 0,
            'pseudo/count_0.85': 1 / 2,
            'pseudo/precision_0.95': -1,
            'pseudo/recall_0.95': 0,
            'pseudo/count_0.95': 0,
        }
    )


def test_ignored_boxes_are_neither_right_nor_wrong():
    sample = dict(
        pred_instances=instances([BOX, FAR], [1, 1], [0.8, 0.9]),
        gt_instances=instances([BOX], [1]),
        ignored_instances=instances([FAR], [1]),
    )
    got = evaluate([sample], score_thrs=(0.5,))
    assert got['pseudo/precision_0.5'] == got['pseudo/recall_0.5'] == 1


def test_no_objects_at_all():
    sample = dict(
        pred_instances=instances([BOX], [1], [0.8]), gt_instances=instances([], [])
    )
    got = evaluate([sample], score_thrs=(0.5,))
    assert got['pseudo/precision_0.5'] == 0
    assert got['pseudo/recall_0.5'] == -1


def slow(samples, score_thr, iou_thr):
    """Right and all detections above a threshold, one detection at a time."""
    right = found = 0
    for sample in samples:
        taken = set()
        predicted = sample['pred_instances']
        for k in predicted['scores'].argsort(descending=True).tolist():
            if predicted['scores'][k] <= score_thr:
                continue
            found += 1
            best = (0.0, -1)
            for j, box in enumerate(sample['gt_instances']['bboxes']):
                if sample['gt_instances']['labels'][j] == predicted['labels'][k]:
                    best = max(best, (iou(predicted['bboxes'][k], box), j))
            if best[0] >= iou_thr and best[1] not in taken:
                taken.add(best[1])
                right += 1
    return right, found


def iou(one, other):
    """In VOC's inclusive pixels."""
    one, other = one.tolist(), other.tolist()
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    common = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (one, other)]
    return common / (sum(areas) - common)


def test_the_last_pixels_belong_to_a_box():
    """8 pixels, moved by 2: 48 of 80 pixels in common, 0.6; without them 35 / 63."""
    box = [10.0, 10.0, 17.0, 17.0]
    moved = [12.0, 10.0, 19.0, 17.0]
    sample = dict(
        pred_instances=instances([moved], [1], [0.8]),
        gt_instances=instances([box], [1]),
    )
    for iou_thr, right in ((0.58, 1), (0.59, 1), (0.61, 0)):
        got = evaluate([sample], score_thrs=(0.5,), iou_thr=iou_thr)
        assert got['pseudo/precision_0.5'] == got['pseudo/recall_0.5'] == right


@pytest.mark.parametrize('iou_thr', [0.3, 0.7])
def test_random_detections_against_a_slow_loop(iou_thr):
    rng = np.random.default_rng(0)
    samples = []
    for count in (3, 1, 4, 0):
        boxes = rng.uniform(0, 60, (count, 2))
        boxes = np.hstack([boxes, boxes + 20]).astype(np.float32)
        jitter = rng.uniform(-3, 3, (3 * count, 4)).astype(np.float32)
        labels = rng.integers(2, size=count)
        samples.append(
            dict(
                pred_instances=instances(
                    np.repeat(boxes, 3, 0) + jitter,
                    np.repeat(labels, 3) ^ (rng.uniform(size=3 * count) < 0.2),
                    rng.uniform(0.2, 1, 3 * count).astype(np.float32),
                ),
                gt_instances=instances(boxes, labels),
            )
        )
    got = evaluate(samples, score_thrs=(0.3, 0.6), iou_thr=iou_thr)
    for thr in (0.3, 0.6):
        right, found = slow(samples, thr, iou_thr)
        assert 0 < right < found
        assert got[f'pseudo/precision_{thr}'] == pytest.approx(right / found)
        assert got[f'pseudo/recall_{thr}'] == pytest.approx(right / 8)
        assert got[f'pseudo/count_{thr}'] == pytest.approx(found / 4)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(score_thrs=()), 'score_thrs must be'),
        (dict(score_thrs=(0.5, 1.0)), r'\(0.5, 1.0\)'),
        (dict(iou_thr=0.0), 'iou_thr must lie'),
    ],
)
def test_thresholds_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        PseudoLabelMetric(**settings)
