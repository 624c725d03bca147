"""Pictures of photographs as they were loaded, not as EXIF turns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mmcv
import numpy as np
from mmengine.fileio import get


def as_loaded(
    picture: np.ndarray,
    path: str,
    shape: Sequence[int] | None,
    backend_args: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """An image as it was loaded, to draw boxes on.

    A photo that EXIF turns is loaded as it is stored where its boxes are for that. One
    that is mirrored, upside down or square has one shape both ways, and is taken to be
    loaded as EXIF turns it, as by ``CheckedLoadImageFromFile``; a ``color_type`` that
    ignores the orientation is not known here.

    Args:
        picture: RGB, as EXIF turns it.
        path: Its file.
        shape: Height and width of what was loaded, where they are known.
        backend_args: How to reach the file.

    Returns:
        The same, or the image as it is stored, where that has the shape alone.
    """
    if not shape or tuple(shape[:2]) == picture.shape[:2]:
        return picture
    content = get(path, backend_args=backend_args)
    # mmcv heeds an order of channels where the flag is 'color' alone.
    stored = mmcv.bgr2rgb(mmcv.imfrombytes(content, 'color_ignore_orientation'))
    return stored if tuple(shape[:2]) == stored.shape[:2] else picture
