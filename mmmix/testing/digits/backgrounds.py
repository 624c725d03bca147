"""Backgrounds: crops of a split's part of a photograph, and procedural textures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mmmix.testing.digits.colors import luma, random_color
from mmmix.testing.digits.settings import IMAGE_SIZE
from mmmix.testing.digits.sources import photo_region

_PHOTO_SHARE = 0.6
_CROP_SIDES = (90, 140)
_MAX_SPAN = 120.0
_Pattern = Callable[[np.random.Generator], np.ndarray]


def make_background(
    domain: str, split: str, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """A random background.

    Returns:
        The image, float32 (160, 160, 3), and where it comes from: file name and
        box of a photograph's crop, or the name of a texture.
    """
    if rng.uniform() < _PHOTO_SHARE:
        image, origin = _crop_photo(domain, split, rng)
    else:
        image, origin = _texture(domain, rng)
    return limit_contrast(image), origin


def limit_contrast(image: np.ndarray) -> np.ndarray:
    """Squeeze an image's luma into a span that leaves room for visible strokes."""
    level = luma(image)
    dark, light = (float(end) for end in np.percentile(level[::2, ::2], (1, 99)))
    scale = min(1.0, _MAX_SPAN / max(light - dark, 1e-6))
    middle = (dark + light) / 2
    wanted = middle + (np.clip(level, dark, light) - middle) * scale
    image = image * scale + (wanted - level * scale)[..., None]
    return np.clip(image, 0, 255)


def _crop_photo(
    domain: str, split: str, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    region, name, corner = photo_region(domain, split)
    height, width = region.shape[:2]
    largest = min(_CROP_SIDES[1], height, width)
    side = int(rng.integers(_CROP_SIDES[0], largest, endpoint=True))
    x = int(rng.integers(width - side, endpoint=True))
    y = int(rng.integers(height - side, endpoint=True))
    crop = region[y : y + side, x : x + side]
    if rng.uniform() < 0.5:
        crop = crop[:, ::-1]
    crop = cv2.resize(crop, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR)
    x, y = corner[0] + x, corner[1] + y
    origin = f'{name} {x} {y} {x + side - 1} {y + side - 1}'
    return crop * rng.uniform(0.75, 1.15, 3).astype(np.float32), origin


def _texture(domain: str, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A pattern between two colours."""
    patterns = _PATTERNS[domain]
    pattern = patterns[rng.integers(len(patterns))]
    middle = rng.uniform(40, 215)
    spread = rng.uniform(15, 50)
    dark = random_color(max(middle - spread, 0), rng)
    light = random_color(min(middle + spread, 255), rng)
    image = dark + (light - dark) * pattern(rng)[..., None].astype(np.float32)
    return image, pattern.__name__.strip('_')


def _rotated_grid(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two perpendicular coordinates in pixels, (160, 160) each, at a random angle."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE] + rng.uniform(0, IMAGE_SIZE, (2, 1, 1))
    return (
        np.cos(angle) * x + np.sin(angle) * y,
        np.cos(angle) * y - np.sin(angle) * x,
    )


def _gradient(rng: np.random.Generator) -> np.ndarray:
    corners = rng.uniform(0, 1, (2, 2))
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return cv2.resize(corners, size, interpolation=cv2.INTER_LINEAR)


def _clouds(rng: np.random.Generator) -> np.ndarray:
    """Value noise of four octaves."""
    total = np.zeros((IMAGE_SIZE, IMAGE_SIZE))
    for octave in range(4):
        cells = 3 * 2**octave
        noise = rng.uniform(0, 1, (cells, cells)) / 2**octave
        total += cv2.resize(noise, total.shape, interpolation=cv2.INTER_CUBIC)
    return np.clip((total - total.min()) / np.ptp(total), 0, 1)


def _stripes(rng: np.random.Generator) -> np.ndarray:
    along, _ = _rotated_grid(rng)
    return 0.5 + 0.5 * np.sin(2 * np.pi * along / rng.uniform(12, 40))


def _checks(rng: np.random.Generator) -> np.ndarray:
    across, along = _rotated_grid(rng)
    period = rng.uniform(16, 40)
    waves = np.sin(2 * np.pi * across / period) * np.sin(2 * np.pi * along / period)
    return np.clip(0.5 + 3 * waves, 0, 1)


def _dots(rng: np.random.Generator) -> np.ndarray:
    across, along = _rotated_grid(rng)
    period = rng.uniform(12, 28)
    waves = np.cos(2 * np.pi * across / period) + np.cos(2 * np.pi * along / period)
    return np.clip(3 * (waves - 0.6), 0, 1)


def _rings(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE] - rng.uniform(0, IMAGE_SIZE, (2, 1, 1))
    return 0.5 + 0.5 * np.sin(2 * np.pi * np.hypot(x, y) / rng.uniform(12, 40))


_PATTERNS: dict[str, tuple[_Pattern, ...]] = {
    'source': (_gradient, _clouds, _stripes),
    'target': (_checks, _dots, _rings),
}
