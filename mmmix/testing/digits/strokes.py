"""What a glyph is painted with."""

from __future__ import annotations

import numpy as np

from mmmix.testing.digits.colors import contrasting_range, random_color


def stroke_paint(
    domain: str, background: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Paint that stands out from the background it will cover.

    The source domain paints in one colour; the target domain half of the time
    in the negative of the background, half of the time in stripes.

    Args:
        domain: ``'source'`` or ``'target'``.
        background: (h, w, 3), what the glyph and its surroundings cover.
        rng: Decides everything random.

    Returns:
        Colours (h, w, 3), or (3,) where they are all the same.
    """
    lumas = contrasting_range(background, rng)
    if domain == 'source':
        return random_color(rng.uniform(*lumas), rng)
    if rng.uniform() < 0.5:
        return _negative(background, lumas, rng)
    return _striped(background.shape, lumas, rng)


def _negative(
    background: np.ndarray, lumas: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """The background's negative, moved to a luma that shows."""
    negative = background.mean(axis=(0, 1)) - background
    return np.clip(random_color(rng.uniform(*lumas), rng) + 0.4 * negative, 0, 255)


def _striped(
    shape: tuple[int, ...], lumas: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Stripes of two colours that both show."""
    colors = [random_color(rng.uniform(*lumas), rng) for _ in range(2)]
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 10)
    y, x = np.mgrid[: shape[0], : shape[1]]
    along = np.cos(angle) * x + np.sin(angle) * y
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * along / period)
    return colors[0] + (colors[1] - colors[0]) * wave[..., None]
