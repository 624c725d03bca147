"""What a file of an image says of itself before it is decoded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from PIL import Image

MAX_PIXELS = 2**27
"""Larger images are refused unless a setting says otherwise: 400 MB in RGB."""

_ORIENTATION = 0x0112
"""EXIF's tag; 5 to 8 swap width and height."""


class ImageHeader(NamedTuple):
    """The head of an image file.

    Attributes:
        width: As stored, in pixels.
        height: As stored, in pixels.
        orientation: EXIF's: 1 as stored, 2 to 4 mirrored or upside down, 5 to 8 with
            width and height swapped.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def turned(self) -> bool:
        """Whether width and height are swapped where the tag is followed."""
        return 5 <= self.orientation <= 8

    @property
    def shown(self) -> tuple[int, int]:
        """(width, height) where the tag is followed, as OpenCV does."""
        size = self.width, self.height
        return size[::-1] if self.turned else size


def read_header(path: str, max_pixels: int | None = MAX_PIXELS) -> ImageHeader | None:
    """Read the head of a local image file.

    Returns:
        None if the file's format is not known; a decoder may tell more.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no regular file, or has too many pixels.
    """
    check_regular(path)
    with open(path, 'rb') as file:
        return header_of(file, path, max_pixels)


def header_of(
    file: BinaryIO, path: str, max_pixels: int | None = MAX_PIXELS
) -> ImageHeader | None:
    """As :func:`read_header`, from an open file.

    Raises:
        ValueError: If it has too many pixels.
    """
    file.seek(0)
    try:
        with any_size(), Image.open(file) as image:
            header = ImageHeader(*image.size, _orientation(image))
    except (OSError, SyntaxError, ValueError, TypeError, OverflowError):
        return None
    pixels = header.width * header.height
    if max_pixels is not None and pixels > max_pixels:
        raise ValueError(
            f'{path} says that it has {header.width} x {header.height} pixels, and the '
            f'limit is {max_pixels} in all; cut it into tiles, or raise max_pixels of '
            'CheckedLoadImageFromFile'
        )
    return header


def check_regular(path: str) -> None:
    """Refuse pipes, sockets and devices, on which reading may wait for ever.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is special.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(
            f'{path} is no file but a pipe, socket or device; put an image in its '
            'place, or take its id out of the annotation list'
        )


def _orientation(image: Image.Image) -> int:
    """The orientation of an open image; 1 where the tag is broken or missing."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF data raises whatever its bytes lead to
        return 1
    return value if value in range(1, 9) else 1


@contextmanager
def any_size() -> Iterator[None]:
    """Let Pillow open what it takes for a bomb: the limit here is ours."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
