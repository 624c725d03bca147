"""Boxes and masks on the mixed canvas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks

from mmmix.functional import check_boxes, shift_boxes, shift_masks


@pytest.mark.parametrize('kind', [torch.tensor, HorizontalBoxes])
def test_shift_moves_and_clips_a_copy(kind):
    boxes = kind([[-3.0, 5.0, 20.0, 60.0], [1.0, 2.0, 3.0, 4.0]])
    moved = shift_boxes(boxes, (10, 2), (50, 40))
    values = moved.tensor if kind is HorizontalBoxes else moved
    assert type(moved) is type(boxes)
    assert values.tolist() == [[0.0, 15.0, 22.0, 50.0], [3.0, 12.0, 5.0, 14.0]]
    original = boxes.tensor if kind is HorizontalBoxes else boxes
    assert original[0, 0] == -3.0


def test_shift_bitmaps():
    masks = np.zeros((6, 4, 5), dtype=np.uint8)
    for i in range(6):
        masks[i, i % 4, i % 5] = 1
    moved = shift_masks(BitmapMasks(masks, 4, 5), (2, 1), (9, 8)).masks
    assert moved.shape == (6, 9, 8)
    for i in range(6):
        assert moved[i].sum() == 1
        assert moved[i, i % 4 + 2, i % 5 + 1] == 1


def test_shift_polygons():
    polygon = np.array([0.0, 0.0, 4.0, 0.0, 4.0, 3.0])
    moved = shift_masks(PolygonMasks([[polygon]], 4, 5), (2, 1), (9, 8))
    assert moved.masks[0][0].tolist() == [1.0, 2.0, 5.0, 2.0, 5.0, 5.0]
    assert (moved.height, moved.width) == (9, 8)


def test_other_masks_are_refused():
    with pytest.raises(TypeError, match='BitmapMasks or PolygonMasks'):
        shift_masks(np.zeros((1, 4, 4)), (0, 0), (4, 4))


@pytest.mark.parametrize(
    'box',
    [
        [30.0, 10.0, 20.0, 40.0],
        [10.0, 40.0, 20.0, 30.0],
        [100.0, 10.0, 120.0, 40.0],
        [-20.0, 10.0, -5.0, 40.0],
        [10.0, 10.0, float('nan'), 40.0],
        [10.0, 10.0, float('inf'), 40.0],
    ],
)
def test_bad_boxes_name_their_image(box):
    good = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    with pytest.raises(ValueError, match='second.jpg: box .* inverted'):
        check_boxes(
            [good, torch.cat([good, torch.tensor([box])]), good],
            [(50, 90)] * 3,
            ['first.jpg', 'second.jpg', 'third.jpg'],
        )


def test_good_boxes_pass():
    boxes = torch.tensor([[-5.0, 0.0, 10.0, 10.0], [80.0, 40.0, 95.0, 60.0]])
    check_boxes([boxes, boxes[:0]], [(50, 90), (1, 1)], ['a', 'b'])
