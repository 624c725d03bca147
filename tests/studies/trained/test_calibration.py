"""Detection calibration error against counting bin by bin."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.structures import InstanceData

from mmmix.studies.trained.calibration import (
    DIMENSIONS,
    Verdicts,
    detection_calibration_error,
    find_verdicts,
    gather,
    reliability,
)


def random_verdicts(seed: int, count: int = 200) -> Verdicts:
    rng = np.random.default_rng(seed)
    values = rng.random((count, 5))
    values[:5, 0] = [0, 1, 0.5, 0.25, 0.75]  # the edges of bins
    return Verdicts(values, rng.random(count) < 0.4)


def counted(verdicts, bins, dimensions, min_count):
    """D-ECE with a loop over all bins and detections."""
    cells = {key: [] for key in itertools.product(range(bins), repeat=len(dimensions))}
    for row, right in zip(*verdicts):
        places = [row[DIMENSIONS.index(name)] for name in dimensions]
        key = tuple(min(math.floor(place * bins), bins - 1) for place in places)
        cells[key].append((row[0], bool(right)))
    full = [cell for cell in cells.values() if len(cell) >= max(min_count, 1)]
    total = sum(map(len, full))
    error = 0.0
    for cell in full:
        scores, rights = zip(*cell)
        error += len(cell) / total * abs(np.mean(scores) - np.mean(rights))
    return error


@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.sampled_from([('score',), ('score', 'cx'), ('cx', 'w', 'score'), ('h',)]),
    st.sampled_from([1, 4]),
)
@settings(max_examples=40, deadline=None)
def test_against_counting(seed, bins, dimensions, min_count):
    verdicts = random_verdicts(seed)
    error = detection_calibration_error(verdicts, bins, dimensions, min_count)
    expected = counted(verdicts, bins, dimensions, min_count)
    assert error == pytest.approx(expected, abs=1e-12)


def test_calibrated_detections_have_no_error():
    rng = np.random.default_rng(0)
    scores = rng.random(200000)
    values = np.column_stack([scores, rng.random((200000, 4))])
    right = rng.random(200000) < scores
    assert detection_calibration_error(Verdicts(values, right)) < 0.01
    # Too sure by a quarter everywhere.
    values[:, 0] = scores * 0.75 + 0.25
    right = rng.random(200000) < values[:, 0] - 0.25
    error = detection_calibration_error(Verdicts(values, right))
    assert error == pytest.approx(0.25, abs=0.01)


def test_all_wrong_at_full_score():
    verdicts = Verdicts(np.ones((6, 5)), np.zeros(6, bool))
    assert detection_calibration_error(verdicts) == 1
    assert detection_calibration_error(Verdicts(np.ones((6, 5)), np.ones(6, bool))) == 0


def test_reliability_bins():
    scores = [0.1, 0.2, 0.25, 1.0, 0.9]
    values = np.column_stack([scores, np.zeros((5, 4))])
    bins = reliability(Verdicts(values, np.array([True, False, True, True, False])), 4)
    assert bins.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert bins.counts.tolist() == [2, 1, 0, 2]
    np.testing.assert_allclose(bins.score, [0.15, 0.25, np.nan, 0.95])
    np.testing.assert_allclose(bins.precision, [0.5, 1, np.nan, 0.5])


def test_verdicts_on_an_image():
    square = torch.tensor([10.0, 20.0, 30.0, 40.0])
    detections = InstanceData(
        bboxes=torch.stack([square, square + 2, square, square + 50, square + 50]),
        scores=torch.tensor([0.6, 0.9, 0.8, 0.7, 0.3]),
        labels=torch.tensor([1, 1, 0, 1, 2]),
    )
    objects = InstanceData(bboxes=square[None], labels=torch.tensor([1]))
    ignored = InstanceData(bboxes=square[None] + 50, labels=torch.tensor([1]))
    verdicts = find_verdicts(detections, objects, ignored, (100, 200), iou=0.5)
    # Left out: the detection of the ignored object. Right: the surest of the object.
    np.testing.assert_allclose(verdicts.values[:, 0], [0.6, 0.9, 0.8, 0.3])
    assert verdicts.right.tolist() == [False, True, False, False]
    np.testing.assert_allclose(verdicts.values[0, 1:], [0.1, 0.3, 0.1, 0.2])
    strict = find_verdicts(detections, objects, ignored, (100, 200), iou=0.75)
    assert strict.right.tolist() == [True, False, False, False]
    alone = find_verdicts(detections, objects[:0], None, (100, 200))
    assert len(alone.right) == 5
    assert not alone.right.any()


@pytest.mark.parametrize('iou', [0.5, 0.75])
def test_verdicts_on_small_objects_are_those_of_voc(iou):
    """Boxes of 8 pixels, whose last row and column count, against a loop."""
    rng = np.random.default_rng(3)
    corners = torch.tensor(rng.integers(0, 200, (80, 2))).float()
    true = torch.cat([corners, corners + 7], dim=1)  # 8 pixels, both ends included
    found = true + torch.tensor(rng.integers(-2, 3, (80, 4))).float()
    detections = InstanceData(
        bboxes=found, scores=torch.rand(80), labels=torch.arange(80)
    )
    objects = InstanceData(bboxes=true, labels=torch.arange(80))
    got = find_verdicts(detections, objects, None, (300, 300), iou).right.tolist()
    expected, exclusive = [], []
    for (a, b, c, d), (e, f, g, h) in zip(found.tolist(), true.tolist()):
        for last, verdicts in ((1, expected), (0, exclusive)):
            common = (min(c, g) - max(a, e) + last) * (min(d, h) - max(b, f) + last)
            areas = (c - a + last) * (d - b + last), (g - e + last) * (h - f + last)
            verdicts.append(common / (sum(areas) - common) >= iou)
    assert got == expected
    assert expected != exclusive


def test_gathering_joins_images():
    parts = [random_verdicts(seed, 40) for seed in range(3)]
    joint = gather(parts)
    assert joint.values.tolist() == [row for p in parts for row in p.values.tolist()]
    assert joint.right.tolist() == [right for p in parts for right in p.right.tolist()]
    nothing = gather([])
    assert math.isnan(detection_calibration_error(nothing))
    assert reliability(nothing, 3).counts.tolist() == [0, 0, 0]


def test_unknown_dimension():
    with pytest.raises(ValueError, match="'area'"):
        detection_calibration_error(random_verdicts(0), 5, ('score', 'area'))
