"""What the pixels of an image can be."""

from __future__ import annotations

from typing import Any

import numpy as np

WHITE = 255
"""White of 8-bit images, and of float images that keep their range."""


def white_of(dtype: np.dtype) -> int:
    """White: the largest value of an integer type, 255 for floating point."""
    return np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else WHITE


def check_8_bit(name: str, results: dict[str, Any]) -> None:
    """Refuse images that a transform would cut to 8 bits or misread as colours.

    Args:
        name: Of the transform.
        results: A sample with ``img``.

    Raises:
        ValueError: If the image has not 8 bits and 3 channels.
    """
    image = results['img']
    given = image.shape[2] if image.ndim == 3 else 1
    if image.dtype == np.uint8 and given == 3:
        return
    raise ValueError(
        f'{name} expects uint8 with 3 channels, got {image.dtype} with {given} of '
        f"{results.get('img_path')}. Load with color_type='color', which gives 8 bits "
        f'and 3 channels, or take {name} out of the pipeline'
    )


def check_channels(name: str, results: dict[str, Any]) -> None:
    """Refuse images of (H, W), which mmdet's transforms of geometry cannot unpack.

    Args:
        name: Of the transform.
        results: A sample with ``img``.

    Raises:
        ValueError: If the image has no axis of channels.
    """
    image = results['img']
    if image.ndim != 3:
        raise ValueError(
            f'{name} expects an image of (H, W, C), got {image.shape} of '
            f"{results.get('img_path')}; load with color_type='color'"
        )


def per_channel(name: str, values: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Values of the channels of an image, to be broadcast over its pixels.

    Args:
        name: The setting, for messages.
        values: ``(3,)``; equal ones fit any number of channels.
        image: (H, W, C), or (H, W).

    Returns:
        ``(C,)``, or ``()``.

    Raises:
        ValueError: If the numbers differ.
    """
    if (values == values[0]).all():
        return values[0]
    channels = image.shape[2] if image.ndim == 3 else 1
    if channels != len(values):
        raise ValueError(
            f'{name} has {len(values)} values, and the image has {channels} channels; '
            'give one value for each, or load images of 3 channels'
        )
    return values
