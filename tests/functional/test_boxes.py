"""Boxes on the mixed canvas."""

from __future__ import annotations

import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes

from mmmix.functional import check_boxes, shift_boxes


@pytest.mark.parametrize('kind', [torch.tensor, HorizontalBoxes])
def test_shift_moves_and_clips_a_copy(kind):
    boxes = kind([[-3.0, 5.0, 20.0, 60.0], [1.0, 2.0, 3.0, 4.0]])
    moved = shift_boxes(boxes, (10, 2), (50, 40))
    values = moved.tensor if kind is HorizontalBoxes else moved
    assert type(moved) is type(boxes)
    assert values.tolist() == [[0.0, 15.0, 22.0, 50.0], [3.0, 12.0, 5.0, 14.0]]
    original = boxes.tensor if kind is HorizontalBoxes else boxes
    assert original[0, 0] == -3.0


@pytest.mark.parametrize(
    'box',
    [
        [30.0, 10.0, 20.0, 40.0],
        [10.0, 40.0, 20.0, 30.0],
        [float('nan'), 10.0, 20.0, 40.0],
        [float('-inf'), 10.0, 20.0, 40.0],
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
    kept = check_boxes([boxes, boxes[:0]], [(50, 90), (1, 1)], ['a', 'b'])
    assert kept == [None, None]


@pytest.mark.parametrize('kind', [torch.tensor, HorizontalBoxes])
def test_boxes_outside_their_image_are_found(kind):
    """Of a box that an augmentation moved out, nothing is left to learn."""
    inside = [5.0, 5.0, 9.0, 9.0]
    boxes = [
        kind([inside, [100.0, 10.0, 120.0, 40.0], inside]),
        kind([inside]),
        kind([[-20.0, 10.0, -5.0, 40.0], [3.0, 50.0, 9.0, 60.0]]),
    ]
    kept = check_boxes(boxes, [(50, 90)] * 3, ['a', 'b', 'c'])
    assert [None if one is None else one.tolist() for one in kept] == [[0, 2], None, []]
