"""mAP of resampled images, against mmdet's own of the very images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.evaluation import eval_map
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmmix.commands.image_intervals import intervals, table
from mmmix.studies.trained.image_bootstrap import (
    class_hits,
    found_in,
    mean_precision,
    resamples,
)

CLASSES, IMAGES = 3, 12


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random boxes of whole pixels in 100 x 100."""
    corner = rng.integers(0, 60, (count, 2))
    return np.hstack([corner, corner + rng.integers(10, 40, (count, 2))]).astype('f4')


def instances(found: np.ndarray, labels: np.ndarray, **fields) -> InstanceData:
    """Instances of boxes."""
    return InstanceData(
        bboxes=torch.from_numpy(found), labels=torch.from_numpy(labels), **fields
    )


def scene(rng: np.random.Generator) -> tuple[DetDataSample, tuple, dict, list]:
    """An image: our sample and truth, and the same as mmdet's metric takes it."""
    count = int(rng.integers(1, 5))
    truth, labels = boxes(rng, count), rng.integers(0, CLASSES, count)
    ignored = rng.random(count) < 0.2
    jitter = rng.integers(-5, 6, (count * 2, 4)).astype('f4')
    found = np.repeat(truth, 2, axis=0) + jitter
    found_labels = np.where(
        rng.random(count * 2) < 0.7, np.repeat(labels, 2), rng.integers(0, CLASSES)
    )
    scores = rng.random(count * 2).astype('f4')
    sample = DetDataSample(ori_shape=(100, 100))
    sample.pred_instances = instances(
        found, found_labels, scores=torch.from_numpy(scores)
    )
    ours = [instances(truth[m], labels[m]) for m in (~ignored, ignored)]
    theirs = dict(
        bboxes=truth[~ignored],
        labels=labels[~ignored],
        bboxes_ignore=truth[ignored],
        labels_ignore=labels[ignored],
    )
    rows = np.hstack([found, scores[:, None]])
    detections = [rows[found_labels == label] for label in range(CLASSES)]
    return sample, tuple(ours), theirs, detections


@pytest.fixture(scope='module')
def scenes() -> list:
    """Some images."""
    rng = np.random.default_rng(3)
    return [scene(rng) for _ in range(IMAGES)]


def hits_of(scenes: list) -> list:
    """What our code makes of them."""
    found = [found_in(sample, truth, CLASSES) for sample, truth, *_ in scenes]
    objects = [
        np.bincount(truth[0].labels, minlength=CLASSES).tolist()
        for _, truth, *_ in scenes
    ]
    return class_hits(found, objects)


def stock(scenes: list, chosen: list[int]) -> float:
    """mmdet's VOC07 mAP of some images, each as often as it is chosen."""
    annotations = [scenes[i][2] for i in chosen]
    detections = [scenes[i][3] for i in chosen]
    mean, _ = eval_map(
        detections,
        annotations,
        iou_thr=0.5,
        dataset='voc07',
        use_legacy_coordinate=True,
        eval_mode='11points',
        logger='silent',
    )
    return mean


def test_of_the_images_as_they_are_it_is_mmdets(scenes):
    (found,) = mean_precision(hits_of(scenes), np.ones((1, IMAGES)))
    assert found == pytest.approx(stock(scenes, list(range(IMAGES))), abs=1e-6)


def slow_precision(hits, weights: np.ndarray) -> float:
    """AP of one class, one detection after the other."""
    objects = sum(weights[i] * hits.objects[i] for i in range(IMAGES))
    points, right, wrong = [], 0.0, 0.0
    for is_right, image in zip(hits.right, hits.image):
        right += weights[image] * is_right
        wrong += weights[image] * (1 - is_right)
        if right + wrong:
            points.append((right / objects, right / (right + wrong)))
    best = [
        max((p for r, p in points if r >= recall), default=0.0)
        for recall in np.linspace(0, 1, 11)
    ]
    return sum(best) / 11


def test_of_resamples_it_is_a_slow_sum(scenes):
    hits, weights = hits_of(scenes), resamples(IMAGES, 70, seed=5)
    expected = [np.mean([slow_precision(h, row) for h in hits]) for row in weights]
    assert mean_precision(hits, weights) == pytest.approx(expected, abs=1e-12)


def test_of_resamples_it_is_mmdets_of_repeated_images(scenes):
    weights = resamples(IMAGES, 6, seed=5)
    found = mean_precision(hits_of(scenes), weights)
    for row, value in zip(weights, found):
        chosen = np.repeat(np.arange(IMAGES), row.astype(int)).tolist()
        # Equal scores of a repeated image are ranked in any order by mmdet; the mAP of
        # a block of them lies between its first and its last place.
        assert value == pytest.approx(stock(scenes, chosen), abs=0.06)
    assert found.std() > 0.01


def test_a_resample_is_as_large_as_the_set_and_repeats_with_its_seed():
    weights = resamples(IMAGES, 50, seed=1)
    assert (weights.sum(1) == IMAGES).all()
    assert np.array_equal(weights, resamples(IMAGES, 50, seed=1))
    assert not np.array_equal(weights, resamples(IMAGES, 50, seed=2))
    share = (weights == 0).mean()
    assert share == pytest.approx((1 - 1 / IMAGES) ** IMAGES, abs=0.05)


def test_a_class_without_objects_does_not_count():
    hits = class_hits([[[[0.9, 1.0]], []]], [[1, 0]])
    assert mean_precision(hits, np.ones((1, 1))) == pytest.approx(1.0)


def test_differences_are_paired_by_resample():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 201)
    scores = {
        'plain': [0.5 + noise, 0.6 + noise],
        'mix': [0.6 + noise, 0.7 + noise],
    }
    plain, mix = intervals(scores)
    assert (plain['seeds'], mix['seeds']) == (2, 2)
    assert 'Δ mAP' not in plain
    assert plain['high'] - plain['low'] > 0.3
    for name in ('Δ mAP', 'Δ low', 'Δ high'):
        assert mix[name] == pytest.approx(0.1)
    assert '+0.100 [+0.100, +0.100]' in table([plain, mix])
