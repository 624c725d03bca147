"""Images between two images, and what counts as finding their objects."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.studies.trained.in_between import (
    BoxedImage,
    Pairs,
    between,
    is_hit,
    make_pair,
    share_found,
)


def boxed(height, width, value, box=(2, 3, 8, 9), label=0):
    image = np.full((height, width, 3), value, np.uint8)
    return BoxedImage(image, torch.tensor([box]).float(), torch.tensor([label]))


@given(st.integers(0, 255), st.integers(0, 255), st.floats(0, 1), st.integers(6, 40))
@settings(max_examples=60, deadline=None)
def test_blend_and_cut_of_flat_images(a, b, lam, size):
    pair = make_pair(boxed(size, size + 5, a), boxed(size, size + 5, b), (0, 0, 0))
    blended = between(pair, lam, 'blend').astype(float)
    assert np.abs(blended - (lam * a + (1 - lam) * b)).max() <= 0.5 + 1e-9
    cut = between(pair, lam, 'cut')
    from_b = round(size * (1 - lam) ** 0.5) * round((size + 5) * (1 - lam) ** 0.5)
    if a != b:
        assert (cut[..., 0] == b).sum() == from_b
        assert (cut[..., 0] == a).sum() == size * (size + 5) - from_b


def test_the_ends_are_the_images_themselves():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 11, 8, 3), dtype=np.uint8)
    sides = [boxed(11, 8, 0)._replace(image=image) for image in images]
    pair = make_pair(*sides, (0, 0, 0))
    for way in ('blend', 'cut'):
        assert (between(pair, 1, way) == images[0]).all()
        assert (between(pair, 0, way) == images[1]).all()
    cut = between(pair, 0.75, 'cut')  # a hole of half the height and width
    assert (cut[2:8, 2:6] == images[1][2:8, 2:6]).all()
    cut[2:8, 2:6] = images[0][2:8, 2:6]
    assert (cut == images[0]).all()


def test_sizes_that_differ_meet_in_the_middle():
    pair = make_pair(boxed(10, 21, 50), boxed(16, 12, 90), (1.2, 2.0, 300.0))
    first, second = pair.first.image, pair.second.image
    assert first.shape == second.shape == (16, 21, 3)
    assert first[0, 0].tolist() == [1, 2, 255]
    assert (first[3:13] == 50).all()
    assert (second[:, 4:16] == 90).all()
    assert pair.first.boxes.tolist() == [[2, 6, 8, 12]]
    assert pair.second.boxes.tolist() == [[6, 3, 12, 9]]


def test_wrong_requests():
    pair = make_pair(boxed(9, 9, 0), boxed(9, 9, 1), (0, 0, 0))
    with pytest.raises(ValueError, match='got 1.5'):
        between(pair, 1.5, 'blend')
    with pytest.raises(ValueError, match="'paste'"):
        between(pair, 0.5, 'paste')


def test_hits_need_class_and_place():
    a, b = boxed(50, 50, 0), boxed(50, 50, 0, (20, 20, 40, 40), 3)
    none = b._replace(boxes=b.boxes[:0], labels=b.labels[:0])
    assert is_hit(b.boxes[0] + 2, 3, (a, b))
    assert not is_hit(b.boxes[0] + 2, 0, (a, b))
    assert not is_hit(b.boxes[0] + 12, 3, (a, b))
    assert is_hit(a.boxes[0], 0, (none, a))
    assert not is_hit(a.boxes[0], 0, (none,))


def test_overlaps_are_in_pixels_that_include_the_last():
    """8 pixels moved by 2: 48 of 80 in common, where 0.556 would be without them."""
    image = boxed(50, 50, 0, (10, 10, 17, 17), 3)
    moved = image.boxes + torch.tensor([2.0, 0, 2, 0])
    for iou, found in ((0.59, 1), (0.61, 0)):
        assert is_hit(moved[0], 3, [image], iou) == bool(found)
        assert share_found(moved, torch.tensor([3]), image, iou) == (found, 1)


def test_share_of_objects_found():
    image = BoxedImage(
        np.zeros((50, 50, 3), np.uint8),
        torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]]),
        torch.tensor([0, 3]),
    )
    detections = torch.tensor([[1.0, 0, 10, 10], [0, 0, 10, 10], [21, 20, 40, 40]])
    assert share_found(detections, torch.tensor([0, 0, 3]), image) == (2, 2)
    assert share_found(detections, torch.tensor([0, 0, 1]), image) == (1, 2)
    assert share_found(detections[:0], torch.tensor([]), image) == (0, 2)


def test_pairs_of_a_data_set():
    images = [
        (
            np.full((8, 8, 3), value, np.uint8),
            dict(instances=[dict(bbox=[1, 2, 5, 6], bbox_label=value)]),
        )
        for value in (10, 20)
    ]
    pairs = Pairs(images)
    assert len(pairs) == 2
    assert pairs(0).first.image[0, 0, 0] == pairs(1).second.image[0, 0, 0] == 10
    assert pairs(0).second.labels.tolist() == [20]
    assert pairs(1).first.boxes.tolist() == [[1, 2, 5, 6]]
    image, info = pairs.mixed(0.25, 'blend', 0)
    assert (image == 18).all()  # 17.5, to even
    assert (info['height'], info['width'], info['instances']) == (8, 8, [])
    with pytest.raises(ValueError, match='two images'):
        Pairs(images[:1])
