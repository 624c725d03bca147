"""Large smooth glyphs from 8 x 8 images of handwriting."""

from __future__ import annotations

import cv2
import numpy as np

MARGIN = 3
"""Pixels around a glyph in its alpha, room for the soft edge of the stroke."""

_PADDING = 2
_FINE = 10
_LINE = (2.0, 0.045)
"""Width of an outline's line: at least in pixels, and by the glyph's size."""


def draw_glyph(
    handwriting: np.ndarray, size: int, rng: np.random.Generator, blur: float = 0.0
) -> np.ndarray:
    """Draw a glyph: enlarge, warp and cut at a level that sets the stroke's weight.

    Args:
        handwriting: (8, 8), 0 (paper) to 1 (ink).
        size: Longer side of the glyph in pixels.
        rng: Decides slant, rotation, proportions and weight.
        blur: Standard deviation of a Gaussian blur in pixels; 0 for none.

    Returns:
        Alpha (h, w) of the glyph with ``MARGIN`` pixels around it.
    """
    field = _warp(_enlarge(handwriting), rng)
    level = _ink_level(field, rng)
    x_min, y_min, x_max, y_max = box_of(field >= level)
    scale = max(x_max - x_min + 1, y_max - y_min + 1) / size
    width = round((x_max - x_min + 1) / scale) + 2 * MARGIN
    height = round((y_max - y_min + 1) / scale) + 2 * MARGIN
    # Pixel i covers [i, i + 1), hence the halves: they make the ends of the ink
    # fall on the ends of pixels, so the glyph is as large as was asked for.
    shift = np.array([x_min, y_min]) + (0.5 - MARGIN) * scale - 0.5
    to_field = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    field = cv2.warpAffine(
        field, to_field, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    # The field rises over about one source pixel, so this edge is 1 to 2 px wide.
    alpha = np.clip(0.5 + (field - level) * _FINE / scale, 0, 1)
    return cv2.GaussianBlur(alpha, (0, 0), blur) if blur > 0 else alpha


def draw_stroke(
    domain: str,
    handwriting: np.ndarray,
    size: int,
    rng: np.random.Generator,
    blur: float = 0.0,
) -> np.ndarray:
    """Draw a glyph as a domain does: solid, or in the target domain its outline."""
    draw = draw_outline if domain == 'target' else draw_glyph
    return draw(handwriting, size, rng, blur)


def draw_outline(
    handwriting: np.ndarray, size: int, rng: np.random.Generator, blur: float = 0.0
) -> np.ndarray:
    """Draw the outline of what ``draw_glyph`` draws; the box is the same."""
    alpha = draw_glyph(handwriting, size, rng, blur)
    solid = visible(alpha).astype(np.uint8)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    line = max(_LINE[0], _LINE[1] * size)
    # The line's inner edge is about as soft as its outer one.
    return alpha * (1 - np.clip((depth - line) / (1 + blur), 0, 1))


def visible(alpha: np.ndarray) -> np.ndarray:
    """Which pixels belong to a glyph: those covered by at least a half."""
    return alpha >= 0.5


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The tight box of a mask that has at least one true pixel."""
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _enlarge(handwriting: np.ndarray) -> np.ndarray:
    padded = np.pad(handwriting, _PADDING)
    return cv2.resize(padded, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)


def _warp(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotate, slant and stretch about the middle, inside a canvas that has room."""
    angle = np.deg2rad(rng.uniform(-10, 10))
    slant, stretch = rng.uniform(-0.2, 0.2), rng.uniform(0.85, 1.2)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ [[stretch, slant], [0, 1]]
    side = int(1.5 * len(field))
    shift = (side - 1) / 2 - linear @ np.full(2, (len(field) - 1) / 2)
    matrix = np.column_stack([linear, shift])
    return cv2.warpAffine(field, matrix, (side, side), flags=cv2.INTER_LINEAR)


def _ink_level(field: np.ndarray, rng: np.random.Generator) -> float:
    """A random level, lowered where it would tear a faint stroke apart."""
    level = rng.uniform(0.4, 0.54)
    while level > 0.25 and _pieces(field >= level) > 1:
        level -= 0.04
    return level


def _pieces(mask: np.ndarray) -> int:
    # OpenCV counts the background as a component of its own.
    return cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
