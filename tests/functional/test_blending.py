"""Pixels: methods 1-3 and 6 of the identities, on the pure functions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmix.functional import blend, common_canvas, place, shift_boxes

SIDE = st.integers(1, 40)
LAM = st.floats(0, 1, width=32)


def pair(ha, wa, hb, wb, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand((3, ha, wa), generator=generator) * 255,
        torch.rand((3, hb, wb), generator=generator) * 255,
    )


def mix(a, b, lam, align='center', fill=0.0):
    canvas, offsets = common_canvas(tuple(a.shape[1:]), tuple(b.shape[1:]), align)
    colour = torch.full((3, 1, 1), fill)
    layers = [place(i, canvas, o, colour) for i, o in zip((a, b), offsets)]
    return blend(*layers, torch.tensor(lam)), offsets


@given(SIDE, SIDE, SIDE, SIDE)
def test_lam_1_and_0_give_back_an_image(ha, wa, hb, wb):
    """Identity 1, exactly."""
    a, b = pair(ha, wa, hb, wb)
    for lam, image, k in ((1.0, a, 0), (0.0, b, 1)):
        mixed, offsets = mix(a, b, lam, fill=7.5)
        y, x = offsets[k]
        inside = mixed[:, y : y + image.shape[1], x : x + image.shape[2]]
        assert torch.equal(inside, image)
        assert mixed.sum() == pytest.approx(
            float(image.sum() + 7.5 * (mixed.numel() - image.numel())), rel=1e-5
        )


@given(LAM)
def test_constant_images(lam):
    """Identity 1."""
    a, b = torch.full((3, 5, 5), 10.0), torch.full((3, 5, 5), 200.0)
    mixed, _ = mix(a, b, lam)
    want = torch.full((3, 5, 5), lam * 10.0 + (1 - lam) * 200.0)
    torch.testing.assert_close(mixed, want, rtol=1e-6, atol=1e-6)


@given(SIDE, SIDE, SIDE, SIDE, LAM)
def test_symmetry(ha, wa, hb, wb, lam):
    """Identity 2, boxes included."""
    a, b = (image / 255 for image in pair(ha, wa, hb, wb))
    one, offsets = mix(a, b, lam)
    other, swapped = mix(b, a, 1 - lam)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert offsets == swapped[::-1]


@given(SIDE, SIDE, SIDE, SIDE, LAM)
def test_centre_alignment(ha, wa, hb, wb, lam):
    """Identity 3."""
    a, b = (image / 255 for image in pair(ha, wa, hb, wb))
    mixed, offsets = mix(a, b, lam)
    height, width = mixed.shape[1:]
    assert (height, width) == (max(ha, hb), max(wa, wb))
    boxes = torch.tensor([[0.0, 0.0, wa, ha]])
    y, x = offsets[0]
    moved = shift_boxes(boxes, offsets[0], (height, width))
    assert moved.tolist() == [[x, y, x + wa, y + ha]]
    for (oy, ox), (h, w) in zip(offsets, ((ha, wa), (hb, wb))):
        assert abs(oy - (height - h) / 2) < 1
        assert abs(ox - (width - w) / 2) < 1
    canvas_b = torch.zeros_like(mixed)
    yb, xb = offsets[1]
    canvas_b[:, yb : yb + hb, xb : xb + wb] = b
    content = mixed[:, y : y + ha, x : x + wa]
    want = lam * a + (1 - lam) * canvas_b[:, y : y + ha, x : x + wa]
    torch.testing.assert_close(content, want, rtol=0, atol=1e-6)


@given(LAM)
def test_normalisation_commutes(lam):
    """Identity 6, where both images cover."""
    mean, std = torch.tensor([123.7, 116.3, 103.5]), torch.tensor([58.4, 57.1, 57.4])
    mean, std = mean.view(3, 1, 1), std.view(3, 1, 1)
    a, b = pair(9, 9, 9, 9)
    after = (mix(a, b, lam)[0] - mean) / std
    before = mix((a - mean) / std, (b - mean) / std, lam)[0]
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5)


def test_resize_refuses_unequal_sizes():
    with pytest.raises(ValueError, match=r"'resize'.*\(30, 20\) and \(20, 20\)"):
        common_canvas((30, 20), (20, 20), 'resize')
    assert common_canvas((20, 20), (20, 20), 'resize') == (
        (20, 20),
        ((0, 0), (0, 0)),
    )


def test_corner_alignment():
    assert common_canvas((30, 20), (20, 40), 'corner') == ((30, 40), ((0, 0), (0, 0)))
