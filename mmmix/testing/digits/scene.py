"""One image: a background with digits on it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from mmmix.testing.digits.backgrounds import make_background
from mmmix.testing.digits.glyphs import box_of, draw_stroke, visible
from mmmix.testing.digits.settings import (
    CLASSES,
    GLYPH_SIZES,
    IMAGE_SIZE,
    MAX_GLYPHS,
    DigitsSettings,
)
from mmmix.testing.digits.sources import handwriting, samples_of
from mmmix.testing.digits.strokes import stroke_paint

_TRIES = 50
_GAP = 4
_MAX_OVERLAP = 0.1


@dataclasses.dataclass
class Glyph:
    """A digit with its place in the image.

    Attributes:
        label: The digit, 0 to 9.
        sample: Index of the source digit in scikit-learn's set.
        alpha: (h, w).
        corner: x and y of the alpha's first pixel in the image.
    """

    label: int
    sample: int
    alpha: np.ndarray
    corner: tuple[int, int] = (0, 0)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The tight box of the visible pixels, in the image."""
        x_min, y_min, x_max, y_max = box_of(visible(self.alpha))
        x, y = self.corner
        return x + x_min, y + y_min, x + x_max, y + y_max

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns of the image that the alpha covers."""
        (x, y), (height, width) = self.corner, self.alpha.shape
        return slice(y, y + height), slice(x, x + width)


@dataclasses.dataclass
class Scene:
    """A finished image: uint8 RGB (160, 160, 3), its digits and its background."""

    image: np.ndarray
    glyphs: list[Glyph]
    origin: str


def make_scene(settings: DigitsSettings, split: str, index: int) -> Scene:
    """Make image ``index`` of a split; the same arguments give the same image."""
    rng = settings.rng(split, index)
    blurred = settings.domain == 'target'
    blur = float(rng.uniform(0.6, 1.2)) if blurred else 0.0
    background, origin = make_background(settings.domain, split, rng)
    if blurred:
        background = cv2.GaussianBlur(background, (0, 0), blur)
    glyphs = _place_glyphs(settings.domain, split, blur, rng)
    image = background.copy()
    for glyph in glyphs:
        patch = background[glyph.window]
        paint_glyph(image, glyph, stroke_paint(settings.domain, patch, rng))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image += rng.uniform(0, 4) * noise
    return Scene(np.clip(image.round(), 0, 255).astype(np.uint8), glyphs, origin)


def paint_glyph(image: np.ndarray, glyph: Glyph, paint: np.ndarray) -> None:
    """Paint a glyph into a float image (160, 160, 3), in place."""
    patch = image[glyph.window]
    patch += glyph.alpha[..., None] * (paint - patch)


def _place_glyphs(
    domain: str, split: str, blur: float, rng: np.random.Generator
) -> list[Glyph]:
    """1 to 4 glyphs that do not touch; one that finds no place is left out."""
    taken = np.zeros((IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    glyphs: list[Glyph] = []
    for _ in range(rng.integers(1, MAX_GLYPHS, endpoint=True)):
        glyph = _random_glyph(domain, split, blur, rng)
        if _find_place(glyph, glyphs, taken, rng):
            taken[glyph.window] |= visible(glyph.alpha)
            glyphs.append(glyph)
    return glyphs


def _random_glyph(
    domain: str, split: str, blur: float, rng: np.random.Generator
) -> Glyph:
    label = int(rng.integers(len(CLASSES)))
    sample = int(rng.choice(samples_of(split, label)))
    # Blur may take a pixel off a thin stroke.
    size = int(rng.integers(GLYPH_SIZES[0] + 1, GLYPH_SIZES[1], endpoint=True))
    alpha = draw_stroke(domain, handwriting(sample), size, rng, blur)
    return Glyph(label, sample, alpha)


def _find_place(
    glyph: Glyph, others: list[Glyph], taken: np.ndarray, rng: np.random.Generator
) -> bool:
    """Move a glyph to a free place, wholly inside the image, if tries find one."""
    height, width = glyph.alpha.shape
    spread = np.ones((2 * _GAP + 1, 2 * _GAP + 1), dtype=np.uint8)
    blocked = cv2.dilate(taken, spread)
    for _ in range(_TRIES):
        x = int(rng.integers(IMAGE_SIZE - width, endpoint=True))
        y = int(rng.integers(IMAGE_SIZE - height, endpoint=True))
        glyph.corner = (x, y)
        if (blocked[glyph.window] & visible(glyph.alpha)).any():
            continue
        if all(_overlap(glyph.box, other.box) <= _MAX_OVERLAP for other in others):
            return True
    return False


def _overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Intersection of two boxes over the area of the smaller one."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return max(width, 0) * max(height, 0) / min(areas)
