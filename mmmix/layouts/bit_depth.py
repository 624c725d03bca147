"""Images of more bits than a detector reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

_PNG, _TIFF = b'\x89PNG\r\n\x1a\n', (b'II*\x00', b'MM\x00*')
_DEPTH = 24
"""Where a PNG file has the bits of a channel."""
_DIM = 2**14
"""A value of 16 bits below which 8 bits are left with less than a quarter."""


def is_nearly_black(path: str | Path) -> bool:
    """Whether an image of 16 bits has used the lower ones alone.

    Cameras of 10 to 14 bits write such files. Reading them as 8 bits takes the upper
    half of the 16: of 12 bits 4 are left.

    Args:
        path: Of an image that can be decoded.
    """
    with open(path, 'rb') as file:
        head = file.read(_DEPTH + 1)
    png = head.startswith(_PNG)
    if not head.startswith(_TIFF) and not (png and head[_DEPTH:] == b'\x10'):
        return False
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return image is not None and image.dtype == np.uint16 and image.max() < _DIM
