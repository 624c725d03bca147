"""VOC's mean AP in one process against mmdet's pool."""

from __future__ import annotations

import os

import numpy as np
import pytest
from mmdet.evaluation import eval_map
from mmdet.evaluation.functional import mean_ap

from mmmix.evaluation.metrics.serial_map import serial_eval_map

CLASSES = 3


def boxes(rng, count):
    corner = rng.uniform(0, 60, (count, 2))
    return np.hstack([corner, corner + rng.uniform(10, 40, (count, 2))])


def images(count=6, seed=0):
    """Detections near the objects, with objects to ignore."""
    rng = np.random.default_rng(seed)
    detections, truth = [], []
    for _ in range(count):
        labels = rng.integers(CLASSES, size=4)
        objects = boxes(rng, 4)
        found = np.hstack(
            [objects + rng.normal(0, 4, (4, 4)), rng.uniform(size=(4, 1))]
        )
        detections.append([found[labels == c] for c in range(CLASSES)])
        truth.append(
            dict(
                bboxes=objects,
                labels=labels,
                bboxes_ignore=boxes(rng, 1),
                labels_ignore=rng.integers(CLASSES, size=1),
            )
        )
    return detections, truth


@pytest.mark.parametrize('mode', ['area', '11points'])
@pytest.mark.parametrize('count', [1, 6])
def test_equals_the_pool_and_forks_nothing(mode, count, monkeypatch):
    data = images(count)
    settings = dict(iou_thr=0.5, logger='silent', eval_mode=mode)
    expected, _ = eval_map(*data, **settings)
    stock = mean_ap.Pool
    monkeypatch.setattr(os, 'fork', None)
    with serial_eval_map():
        got, classes = eval_map(*data, **settings)
    assert got == expected
    assert 0 < got < 1
    assert len(classes) == CLASSES
    assert mean_ap.Pool is stock
