"""Boxes of activation maps and the measures, by hand and against slow references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import METRICS

from mmmix.classification.localization import (
    box_ious,
    component_boxes,
    largest_box,
    stretched,
)
from mmmix.classification.localization.measures import (
    max_box_acc,
    overlaps_by_threshold,
)


def slow_components(mask):
    """Boxes and sizes of regions by flooding, corners included."""
    labels, number = ndimage.label(mask, np.ones((3, 3)))
    found = []
    for label in range(1, number + 1):
        rows, columns = np.nonzero(labels == label)
        box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        found.append((len(rows), tuple(map(float, box))))
    return found or [(0, (0.0, 0.0, float(mask.shape[1]), float(mask.shape[0])))]


def slow_iou(a, b):
    cells = [
        {
            (x, y)
            for x in range(int(r[0]), int(r[2]))
            for y in range(int(r[1]), int(r[3]))
        }
        for r in (a, b)
    ]
    union = cells[0] | cells[1]
    return len(cells[0] & cells[1]) / len(union) if union else 0.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), threshold=st.sampled_from([0.0, 0.15, 0.6, 0.95]))
def test_regions_and_overlaps_against_flooding(seed, threshold):
    rng = np.random.default_rng(seed)
    score_map = rng.random((6, 9)) * (rng.random((6, 9)) < 0.5)
    truths = np.array([[1, 1, 5, 4], [6, 2, 9, 6]], dtype=float)
    boxes, cells = component_boxes(score_map, threshold)
    slow = slow_components(score_map > threshold)
    assert sorted(zip(cells.tolist(), map(tuple, boxes.tolist()))) == sorted(slow)
    assert (
        max(slow)[0]
        == dict(zip(map(tuple, boxes.tolist()), cells))[
            tuple(largest_box(score_map, threshold).tolist())
        ]
    )
    best = overlaps_by_threshold(score_map, truths, [threshold])[:, 0]
    ious = {box: max(slow_iou(box, truth) for truth in truths) for _, box in slow}
    assert best[1] == pytest.approx(max(ious.values()))
    assert best[0] == pytest.approx(ious[tuple(largest_box(score_map, threshold))])


def test_a_map_is_stretched_to_the_image_and_to_unit_range():
    cam = np.array([[-3.0, 1.0], [-3.0, 1.0]])
    score_map = stretched(cam, (4, 8))
    assert score_map.shape == (4, 8)
    assert (score_map.min(), score_map.max()) == (0, 1)
    assert (np.diff(score_map, axis=1) >= 0).all()
    # 0.15 of the maximum is met between the third column (.125) and the fourth (.375).
    np.testing.assert_allclose(score_map[0, 2:4], [0.125, 0.375])
    np.testing.assert_array_equal(largest_box(score_map), [3, 0, 8, 4])
    np.testing.assert_array_equal(
        stretched(np.full((2, 2), 7.0), (4, 4)), np.zeros((4, 4))
    )
    with pytest.raises(ValueError, match='not finite'):
        stretched(np.array([[np.nan]]), (2, 2))


def test_ious_by_hand():
    boxes = np.array([[0, 0, 4, 4], [4, 4, 6, 6], [2, 0, 6, 4]], dtype=float)
    truth = np.array([[0, 0, 4, 4]], dtype=float)
    np.testing.assert_allclose(box_ious(boxes, truth)[:, 0], [1, 0, 8 / 24])


def test_the_best_threshold_is_one_for_all_images():
    overlaps = np.array([[0.6, 0.5, 0.1], [0.4, 0.5, 0.9], [0.2, 0.7, 0.9]])
    assert max_box_acc(overlaps, 0.5) == (1.0, 1)
    assert max_box_acc(overlaps, 0.8) == (pytest.approx(2 / 3), 2)


def sample(cam, truths, predicted=0, label=0, shape=(8, 8)):
    return dict(
        gt_cam=torch.tensor(cam, dtype=torch.float32),
        gt_bboxes=np.array(truths, dtype=np.float32),
        pred_label=torch.tensor([predicted]),
        gt_label=torch.tensor([label]),
        img_shape=shape,
        img_path='a.jpg',
    )


def columns(*values):
    return [list(values)] * 8


def test_the_metric_by_hand():
    metric = METRICS.build(dict(type='LocalizationMetric', thresholds=10))
    wide, two = columns(*[0.2] * 4, *[1.0] * 4), columns(*[1] * 3, 0, *[1] * 2, 0, 0)
    metric.process(
        None,
        [
            # Stretched to 0 and 1: the right half, exactly the object.
            sample(wide, [[4, 0, 8, 8]]),
            # The same box, the wrong class.
            sample(wide, [[4, 0, 8, 8]], predicted=1),
            # The largest region is the left one, the object is at the right one.
            sample(two, [[4, 0, 6, 8]]),
            # .3 of the maximum leaves the object's half alone; .15 does not.
            sample(
                columns(*[0.2] * 2, *[0.0] * 2, *[0.2] * 2, *[1.0] * 2), [[6, 0, 8, 8]]
            ),
        ],
    )
    values = metric.evaluate(4)
    got = {name.removeprefix('localization/'): value for name, value in values.items()}
    assert got['top1_loc'] == 25.0
    # At σ = .15 the last image's region is columns 4 to 8, IoU .5: not above δ.
    assert got['gt_known_loc'] == 50.0
    assert got['max_box_acc'] == 75.0
    assert got['max_box_acc_v2'] == pytest.approx(100.0)
    assert got['best_threshold'] == 0.0


def test_the_metric_says_what_is_missing():
    metric = METRICS.build(dict(type='LocalizationMetric'))
    whole = sample(columns(*[0] * 7, 1), [[7, 0, 8, 8]])
    for name, fix in (('gt_cam', 'CAMHead'), ('gt_bboxes', 'PackInputs')):
        part = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(KeyError, match=fix):
            metric.process(None, [part])
    with pytest.raises(ValueError, match='a.jpg has no box'):
        metric.process(None, [dict(whole, gt_bboxes=np.zeros((0, 4)))])
    with pytest.raises(ValueError, match='sigma'):
        METRICS.build(dict(type='LocalizationMetric', sigma=1.5))


def test_a_batch_that_was_padded_is_refused():
    """A map of 8 x 16 cells, the right half of them of padding, of an 8 x 8 image."""
    metric = METRICS.build(dict(type='LocalizationMetric', thresholds=10))
    padded = sample([[0] * 2 + [1] * 2 + [0] * 12] * 8, [[2, 0, 4, 8]])
    wide = sample([[0] * 8 + [1] * 8] * 8, [[8, 0, 16, 8]], shape=(8, 16))
    with pytest.raises(ValueError, match=r'\(8, 8\), \(8, 16\)\] pixels in one batch'):
        metric.process(None, [padded, wide])
    metric.process(None, [wide])
    metric.process(None, [sample(columns(0, 0, 1, 1, 0, 0, 0, 0), [[2, 0, 4, 8]])])
    assert metric.evaluate(2)['localization/gt_known_loc'] == 100
