"""CutMix's region, pixels and boxes (identities 37 and 38), against pixel counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.structures.bbox import HorizontalBoxes

from mmmix.functional import (
    Region,
    cut_boxes,
    cut_region,
    own_share,
    paste,
    seen_enough,
)

UNIT = st.floats(0.0, 1.0)
SIDE = st.integers(1, 40)
CANVAS = (24, 32)


@st.composite
def regions(draw):
    """Any region of the canvas, the empty one and the whole included."""
    rows = sorted(draw(st.tuples(*[st.integers(0, CANVAS[0])] * 2)))
    columns = sorted(draw(st.tuples(*[st.integers(0, CANVAS[1])] * 2)))
    return Region(rows[0], columns[0], rows[1], columns[1])


@st.composite
def boxes_of(draw, number):
    """A box with an area on the canvas, of integers or floats."""
    sides = []
    for side in (CANVAS[1], CANVAS[0]):
        low, high = sorted(draw(st.tuples(number(0, side), number(0, side))))
        sides.append((low, high) if high - low > 0.1 else (0, side))
    (x1, x2), (y1, y2) = sides
    return [float(x1), float(y1), float(x2), float(y2)]


def shown(region: Region, component: int) -> np.ndarray:
    """Pixels of the canvas that show a component."""
    inside = np.zeros(CANVAS, dtype=bool)
    for y in range(region.top, region.bottom):
        for x in range(region.left, region.right):
            inside[y, x] = True
    return inside if component else ~inside


@settings(deadline=None, max_examples=50)
@given(UNIT, UNIT, UNIT, SIDE, SIDE)
def test_region_is_algorithm_a1(lam, y, x, height, width):
    region = cut_region(lam, (y, x), (height, width))
    cut_h, cut_w = height * math.sqrt(1 - lam), width * math.sqrt(1 - lam)
    want = [
        max(y * height - cut_h / 2, 0),
        max(x * width - cut_w / 2, 0),
        min(y * height + cut_h / 2, height),
        min(x * width + cut_w / 2, width),
    ]
    assert all(isinstance(side, int) for side in region)
    np.testing.assert_allclose(region, want, atol=0.5 + 1e-9)
    assert 0 <= region.top <= region.bottom <= height
    assert 0 <= region.left <= region.right <= width


@settings(deadline=None, max_examples=50)
@given(UNIT, UNIT, UNIT, SIDE, SIDE)
def test_the_ratio_is_that_of_the_pixels_and_each_is_of_its_image(lam, y, x, h, w):
    """Identity 37."""
    region = cut_region(lam, (y, x), (h, w))
    image_a = torch.arange(2.0 * h * w).view(2, h, w)
    image_b = -1.0 - image_a
    mixed = paste(image_a, image_b, region)
    replaced = int((mixed[0] < 0).sum())
    assert own_share(region, (h, w)) == 1 - replaced / (h * w)
    assert 0.0 <= own_share(region, (h, w)) <= 1.0
    rows, columns = np.mgrid[:h, :w]
    inside = (
        (rows >= region.top)
        & (rows < region.bottom)
        & (columns >= region.left)
        & (columns < region.right)
    )
    want = np.where(inside, image_b, image_a)
    np.testing.assert_array_equal(mixed, want)
    assert (image_a >= 0).all()
    out = torch.full_like(image_a, torch.nan)
    assert paste(image_a, image_b, region, out=out) is out
    np.testing.assert_array_equal(out, want)


def test_lam_1_pastes_nothing():
    region = cut_region(1.0, (0.3, 0.6), CANVAS)
    assert region.area == 0
    assert own_share(region, CANVAS) == 1.0
    boxes = torch.tensor([[1.0, 2.0, 9.0, 20.0], [0.0, 0.0, 32.0, 24.0]])
    own, visibility = cut_boxes(boxes, region, 0)
    assert torch.equal(own, boxes)
    assert visibility.tolist() == [1.0, 1.0]
    _, visibility = cut_boxes(boxes, region, 1)
    assert visibility.tolist() == [0.0, 0.0]


def test_the_middle_half_of_an_image():
    region = cut_region(0.75, (0.5, 0.5), (40, 80))
    assert region == Region(10, 20, 30, 60)
    assert own_share(region, (40, 80)) == 0.75
    assert cut_region(0.75, (0.0, 0.95), (40, 80)) == Region(0, 56, 10, 80)


@settings(deadline=None, max_examples=50)
@given(boxes_of(st.integers), regions(), st.sampled_from([0, 1]))
def test_boxes_of_whole_pixels_by_counting(box, region, component):
    x1, y1, x2, y2 = (int(side) for side in box)
    own = np.zeros(CANVAS, dtype=bool)
    own[y1:y2, x1:x2] = True
    seen = own & shown(region, component)
    boxes, visibility = cut_boxes(torch.tensor([box]), region, component)
    assert visibility.item() == pytest.approx(seen.sum() / own.sum(), abs=1e-6)
    if seen.any():
        rows, columns = seen.nonzero()
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert boxes[0].tolist() == tight


@settings(deadline=None, max_examples=50)
@given(boxes_of(st.floats), regions(), st.sampled_from([0, 1]))
def test_boxes_of_any_place(box, region, component):
    """Identity 38."""
    boxes = torch.tensor([box])
    cut, visibility = cut_boxes(boxes, region, component)
    assert 0.0 <= visibility <= 1.0
    old, new = boxes[0], cut[0]
    assert (new[:2] >= old[:2]).all()
    assert (new[2:] <= old[2:]).all()
    assert (new[:2] <= new[2:]).all()
    hole = torch.tensor([region.left, region.top, region.right, region.bottom])
    touches = (old[:2] < hole[2:]).all() and (old[2:] > hole[:2]).all()
    touches = bool(touches) and region.area > 0
    if component == 0 and not touches:
        assert torch.equal(new, old)
        assert visibility == 1.0
    if component == 1 and visibility > 0:
        assert (new[:2] >= hole[:2]).all()
        assert (new[2:] <= hole[2:]).all()
    # Every visible point of a grid over the old box lies in the new one.
    points = torch.cartesian_prod(
        *(torch.linspace(old[k], old[k + 2], 9)[1:-1] for k in (0, 1))
    )
    inside = ((points > hole[:2]) & (points < hole[2:])).all(dim=1)
    visible = points[inside == bool(component)]
    if component == 0 and not touches:
        visible = points
    assert ((visible >= new[:2] - 1e-4) & (visible <= new[2:] + 1e-4)).all()


@settings(deadline=None, max_examples=50)
@given(boxes_of(st.floats), regions())
def test_what_one_component_hides_the_other_shows(box, region):
    shares = [cut_boxes(torch.tensor([box]), region, k)[1].item() for k in (0, 1)]
    assert sum(shares) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize('component', [0, 1])
def test_boxes_stay_of_their_kind_and_are_not_changed(component):
    boxes = HorizontalBoxes([[0.0, 0.0, 10.0, 10.0], [20.0, 5.0, 30.0, 15.0]])
    before = boxes.tensor.clone()
    region = Region(0, 0, 24, 5)
    cut, visibility = cut_boxes(boxes, region, component)
    plain, _ = cut_boxes(boxes.tensor, region, component)
    assert isinstance(cut, HorizontalBoxes)
    assert torch.equal(cut.tensor, plain)
    assert torch.equal(boxes.tensor, before)
    assert visibility.tolist() == [0.5, 0.0 if component else 1.0]
    empty, none = cut_boxes(boxes[:0], region, component)
    assert len(empty) == len(none) == 0


def test_a_box_without_area_is_where_its_corner_is():
    boxes = torch.tensor([[4.0, 4.0, 4.0, 9.0], [20.0, 4.0, 20.0, 4.0]])
    region = Region(0, 0, 10, 10)
    assert cut_boxes(boxes, region, 0)[1].tolist() == [0.0, 1.0]
    assert cut_boxes(boxes, region, 1)[1].tolist() == [1.0, 0.0]


def test_what_is_seen_enough():
    boxes = torch.tensor(
        [
            [0.0, 0.0, 2.0, 2.0],  # small, but whole
            [0.0, 0.0, 8.0, 3.9],  # too flat
            [0.0, 0.0, 8.0, 4.0],
            [0.0, 0.0, 8.0, 8.0],  # too little
            [0.0, 0.0, 8.0, 8.0],
        ]
    )
    visibility = torch.tensor([1.0, 0.9, 0.9, 0.24, 0.25])
    seen = seen_enough(boxes, visibility, 0.25)
    assert seen.nonzero().squeeze(1).tolist() == [0, 2, 4]
    seen = seen_enough(HorizontalBoxes(boxes), visibility, 0.95)
    assert seen.nonzero().squeeze(1).tolist() == [0]
    hidden = torch.zeros(5)
    assert not seen_enough(boxes, hidden, 0.0).any()
