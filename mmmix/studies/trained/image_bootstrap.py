"""VOC's mAP of resampled images: how much a difference depends on the test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from mmmix.studies.trained.calibration import find_right

Floats = NDArray[np.float64]
Found = list[list[list[float]]]
"""Of an image, by class: score and rightness (1 or 0) of each detection that counts."""

RECALLS = np.linspace(0, 1, 11)
CHUNK = 64
"""Resamples at a time; memory is some five arrays of CHUNK x detections of a class."""


class ClassHits(NamedTuple):
    """The detections of one class on all images, the surest first.

    Attributes:
        right: ``(n,)`` 1 for a right detection, 0 for a wrong one.
        image: ``(n,)`` index of its image.
        objects: ``(images,)`` objects of the class in each image.
    """

    right: Floats
    image: NDArray[np.int64]
    objects: Floats


def found_in(
    sample: DetDataSample, truth: tuple[InstanceData, InstanceData], classes: int
) -> Found:
    """Detections of an image that count, as VOC's mAP judges them at an IoU of 0.5.

    Args:
        sample: With ``pred_instances`` in pixels of the image file.
        truth: Its objects, and those to ignore.
        classes: How many classes there are.
    """
    found = sample.pred_instances
    right, counted = find_right(found, *truth)
    kept: Found = [[] for _ in range(classes)]
    for index in np.flatnonzero(counted):
        entry = [float(found.scores[index]), float(right[index])]
        kept[int(found.labels[index])].append(entry)
    return kept


def class_hits(
    images: Sequence[Found], objects: Sequence[Sequence[int]]
) -> list[ClassHits]:
    """Join what was found in all images, class by class.

    Args:
        images: Of each image, see :func:`found_in`.
        objects: Of each image, its number of objects of each class.
    """
    counts = np.asarray(objects, dtype=np.float64)
    hits = []
    for label in range(counts.shape[1]):
        rows = [(*row, i) for i, found in enumerate(images) for row in found[label]]
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        order = np.argsort(-table[:, 0], kind='stable')
        right, image = table[order, 1], table[order, 2].astype(np.int64)
        hits.append(ClassHits(right, image, counts[:, label]))
    return hits


def mean_precision(hits: Sequence[ClassHits], weights: Floats) -> Floats:
    """VOC07's mAP (11 recalls) of weighted images.

    Args:
        hits: Of every class.
        weights: ``(resamples, images)``: how often an image is in each resample.

    Returns:
        ``(resamples,)``, the mean over classes that have objects there; NaN where
        there is none.
    """
    parts = [
        np.stack(
            [_precision(of_class, weights[start : start + CHUNK]) for of_class in hits]
        )
        for start in range(0, len(weights), CHUNK)
    ]
    precisions = np.concatenate(parts, axis=1)
    known = ~np.isnan(precisions)
    with np.errstate(invalid='ignore'):
        return np.nansum(precisions, axis=0) / known.sum(axis=0)


def _precision(hits: ClassHits, weights: Floats) -> Floats:
    """AP of one class in each resample; NaN where it has no object."""
    objects = weights @ hits.objects
    mass = weights[:, hits.image]
    right = np.cumsum(mass * hits.right, axis=1)
    everything = np.cumsum(mass, axis=1)
    with np.errstate(divide='ignore', invalid='ignore'):
        recall = right / objects[:, None]
        precision = np.nan_to_num(right / everything)
    # the best precision at this recall or a higher one
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    total = np.zeros(len(weights))
    for row in range(len(weights)):
        # recall never falls, so that the first place that reaches it is the best
        places = np.searchsorted(recall[row], RECALLS)
        reached = places < recall.shape[1]
        total[row] = best[row, places[reached]].sum() / len(RECALLS)
    return np.where(objects > 0, total, np.nan)


def resamples(images: int, count: int, seed: int = 0) -> Floats:
    """How often each image is in each bootstrap sample, ``(count, images)``."""
    rng = np.random.default_rng(seed)
    chances = np.full(images, 1 / images)
    return rng.multinomial(images, chances, size=count).astype(np.float64)
