"""Random colours of a chosen lightness, so that strokes show on their background."""

from __future__ import annotations

import colorsys

import numpy as np

MIN_CONTRAST = 60.0
"""Least difference in luma between a stroke and its background."""

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def luma(image: np.ndarray) -> np.ndarray:
    """Luma (...) in [0, 255] of RGB colours (..., 3) (ITU-R BT.601)."""
    return image @ _LUMA


def random_color(level: float, rng: np.random.Generator) -> np.ndarray:
    """An RGB colour (3,) of random hue with luma ``level`` in [0, 255]."""
    hue, saturation = rng.uniform(0, 1), rng.uniform(0.2, 1)
    color = 255 * np.array(colorsys.hsv_to_rgb(hue, saturation, 1.0), dtype=np.float32)
    bright = float(luma(color))
    if level <= bright:
        return color * (level / bright)
    return color + (255 - color) * ((level - bright) / (255 - bright))


def contrasting_range(
    background: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """A range of luma that stands out from a background.

    Args:
        background: (h, w, 3). Its luma spans few enough values that one side
            has room (``backgrounds.limit_contrast`` sees to it).
        rng: Decides between darker and lighter where both have room.

    Returns:
        Darkest and lightest luma of the range.
    """
    dark, light = np.percentile(luma(background), (5, 95))
    below, above = max(dark - MIN_CONTRAST, 0), max(255 - light - MIN_CONTRAST, 0)
    if rng.uniform(0, below + above) < below:
        return 0.0, float(below)
    return float(255 - above), 255.0
