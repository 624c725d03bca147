"""Masks of two components on one frame, against pixels copied one by one."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from mmdet.structures.mask import BitmapMasks, PolygonMasks

from mmmix.functional import MaskPart, Region, join_masks

from .test_cutting import CANVAS, shown


def bitmaps(count, height, width, seed=0):
    rng = np.random.default_rng(seed)
    masks = rng.integers(0, 2, (count, height, width), dtype=np.uint8)
    return BitmapMasks(masks, height, width)


def naive(parts, frame):
    """Each pixel of each mask, put where its image lies."""
    rows = []
    for masks, (top, left), _ in parts:
        for mask in masks.masks:
            row = np.zeros(frame, dtype=np.uint8)
            for y, x in np.argwhere(mask):
                if y + top < frame[0] and x + left < frame[1]:
                    row[y + top, x + left] = 1
            rows.append(row)
    return np.stack(rows)


@pytest.mark.parametrize(
    ('parts', 'frame'),
    [
        ([MaskPart(bitmaps(6, 4, 5), (2, 1))], (9, 8)),
        (
            [MaskPart(bitmaps(2, 9, 8), (0, 0)), MaskPart(bitmaps(3, 9, 8, 1), (0, 0))],
            (9, 8),
        ),
        (
            [MaskPart(bitmaps(2, 4, 8), (2, 0)), MaskPart(bitmaps(3, 9, 4, 1), (0, 2))],
            (9, 8),
        ),
        # Padded to a batch's frame, and moved: what leaves the frame is padding.
        (
            [MaskPart(bitmaps(2, 9, 8), (3, 0)), MaskPart(bitmaps(1, 9, 8, 1), (0, 2))],
            (9, 8),
        ),
        (
            [MaskPart(bitmaps(2, 9, 8), (0, 0)), MaskPart(bitmaps(0, 9, 8), (0, 0))],
            (12, 8),
        ),
    ],
)
def test_bitmaps(parts, frame):
    before = [part.masks.masks.copy() for part in parts]
    joined = join_masks(parts, frame)
    assert (joined.height, joined.width) == frame
    assert joined.masks.dtype == np.uint8
    np.testing.assert_array_equal(joined.masks, naive(parts, frame))
    for part, old in zip(parts, before):
        np.testing.assert_array_equal(part.masks.masks, old)


@pytest.mark.parametrize('component', [0, 1])
def test_masks_are_cut_pixel_by_pixel(component):
    region = Region(3, 5, 20, 17)
    masks = bitmaps(3, *CANVAS)
    part = MaskPart(masks, (0, 0), component)
    cut = join_masks([part], CANVAS, region).masks
    assert cut.dtype == masks.masks.dtype
    np.testing.assert_array_equal(cut, masks.masks * shown(region, component))
    both = join_masks([MaskPart(masks, (0, 0)), part], CANVAS, region).masks
    np.testing.assert_array_equal(both[:3], masks.masks * shown(region, 0))
    np.testing.assert_array_equal(both[3:], cut)


def test_polygons_move_and_are_clipped_to_the_frame():
    polygon = np.array([0.0, 0.0, 4.0, 0.0, 4.0, 3.0])
    masks = PolygonMasks([[polygon]], 4, 5)
    moved = join_masks([MaskPart(masks, (2, 1)), MaskPart(masks, (7, 0))], (9, 8))
    assert moved.masks[0][0].tolist() == [1.0, 2.0, 5.0, 2.0, 5.0, 5.0]
    assert moved.masks[1][0].tolist() == [0.0, 7.0, 4.0, 7.0, 4.0, 9.0]
    assert (moved.height, moved.width) == (9, 8)


def test_polygons_have_no_holes():
    polygons = PolygonMasks([[np.array([0.0, 0, 4, 0, 4, 4])]], *CANVAS)
    with pytest.raises(TypeError, match='poly2mask=True'):
        join_masks([MaskPart(polygons, (0, 0))], CANVAS, Region(0, 0, 2, 2))


def test_other_masks_are_refused():
    with pytest.raises(TypeError, match='BitmapMasks or PolygonMasks.*ndarray'):
        join_masks([MaskPart(np.zeros((1, 4, 4)), (0, 0))], (4, 4))
    two = [MaskPart(bitmaps(1, 4, 4), (0, 0)), MaskPart(PolygonMasks([], 4, 4), (0, 0))]
    with pytest.raises(TypeError, match='of one kind.*BitmapMasks and PolygonMasks'):
        join_masks(two, (4, 4))


def test_masks_that_do_not_move_are_not_copied():
    """Until all of them are asked for; those of a component are views."""
    parts = [bitmaps(count, 5, 4, count) for count in (2, 0, 3)]
    joined = join_masks([MaskPart(part, (0, 0)) for part in parts], (5, 4))
    want = np.concatenate([part.masks for part in parts])
    assert (len(joined), joined.height, joined.width) == (5, 5, 4)
    for start, stop, part in ((0, 2, 0), (2, 5, 2), (3, 4, 2), (-3, None, 2)):
        some = joined[start:stop].masks
        assert np.array_equal(some, want[start:stop])
        assert np.shares_memory(some, parts[part].masks)
    assert len(joined[2:2]) == 0
    for index in (slice(1, 4), slice(0, 5, 2), 3, [4, 0], np.array([True] * 5)):
        again = join_masks([MaskPart(part, (0, 0)) for part in parts], (5, 4))
        expected = BitmapMasks(want, 5, 4)[index].masks
        assert np.array_equal(again[index].masks, expected)
    assert np.array_equal(joined.pad((6, 6)).masks[:, :5, :4], want)
    assert joined.masks is joined.masks
    assert len(joined) == 5
    assert np.array_equal(copy.deepcopy(joined).masks, want)
    assert np.array_equal(joined.cat([joined, parts[0]]).masks[:5], want)
