"""Which detections of an image are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from mmdet.evaluation.functional.mean_ap import tpfp_default
from mmdet.structures.bbox import BaseBoxes, get_box_tensor


class Judged(NamedTuple):
    """The n detections of an image, and its objects.

    Attributes:
        scores: ``(n,)``, in [0, 1].
        labels: ``(n,)``, their classes.
        right: ``(n,)``, 1 where an object of this class was found first, else 0.
        wrong: ``(n,)``, 1 where there is none; both are 0 on boxes to ignore.
        objects: ``(m,)``, the classes of the objects.
    """

    scores: np.ndarray
    labels: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    objects: np.ndarray


def judge(sample: Mapping, iou_thr: float = 0.5) -> Judged:
    """Match the detections of an image with its objects, as ``VOCMetric`` does.

    A detection is right if of the objects of its class the one that it overlaps most,
    in VOC's inclusive pixels, overlaps it by ``iou_thr``, and no detection of a higher
    score has taken that.

    Args:
        sample: A sample as a dict, with ``pred_instances``, ``gt_instances`` and
            perhaps ``ignored_instances``.
        iou_thr: Smallest IoU of a right detection, in (0, 1].
    """
    predicted = field_arrays(sample['pred_instances'], 'bboxes', 'labels', 'scores')
    boxes, labels, scores = predicted
    true_boxes, true_labels = field_arrays(sample['gt_instances'], 'bboxes', 'labels')
    ignored = sample.get('ignored_instances')
    ignored_boxes, ignored_labels = (
        (true_boxes[:0], true_labels[:0])
        if ignored is None or not len(ignored)
        else field_arrays(ignored, 'bboxes', 'labels')
    )
    right, wrong = np.zeros(len(scores)), np.zeros(len(scores))
    for label in np.unique(labels):
        own = labels == label
        hit, miss = tpfp_default(
            np.hstack([boxes[own], scores[own, None]]),
            true_boxes[true_labels == label],
            ignored_boxes[ignored_labels == label],
            iou_thr=iou_thr,
            use_legacy_coordinate=True,  # as in VOCMetric
        )
        right[own], wrong[own] = hit[0], miss[0]
    return Judged(scores, labels, right, wrong, true_labels)


def quality_above(images: Sequence[Judged], score: float) -> dict[str, float]:
    """How good the detections above a score would be as labels.

    Args:
        images: Of one image or more.
        score: Those of exactly this score are left out.

    Returns:
        ``precision`` and ``recall``, left out where they have no value, and
        ``count``, their number per image.
    """
    above = [image.scores > score for image in images]
    hits = sum(image.right[own].sum() for image, own in zip(images, above))
    misses = sum(image.wrong[own].sum() for image, own in zip(images, above))
    objects = sum(len(image.objects) for image in images)
    values = {'count': (hits + misses) / max(len(images), 1)}
    if hits + misses:
        values['precision'] = hits / (hits + misses)
    if objects:
        values['recall'] = hits / objects
    return {name: float(value) for name, value in values.items()}


def field_arrays(instances: Mapping, *names: str) -> list[np.ndarray]:
    """Fields of instances as arrays."""
    fields = [instances[name] for name in names]
    return [
        np.asarray((get_box_tensor(f) if isinstance(f, BaseBoxes) else f).cpu())
        for f in fields
    ]
