"""What a file of an image says of itself before it is decoded."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from PIL import Image

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
"""What files of images end in, in any case."""

MAX_PIXELS = 2**27
"""Larger images are refused unless a setting says otherwise: 400 MB in RGB."""

_ORIENTATION = 0x0112
"""EXIF's tag; 5 to 8 swap width and height."""


_NO_FRAMES = (0xC4, 0xC8, 0xCC)
"""JPEG's markers among those of frames that start other segments."""


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
        header = _header(file)
    if header is not None:
        _check_pixels(header[:2], path, max_pixels)
    return header


def check_pixels(file: BinaryIO, path: str, max_pixels: int | None) -> None:
    """Refuse an open image file that states too many pixels.

    JPEG and PNG are read here, which is ten times as fast as by Pillow.

    Raises:
        ValueError: If it states too many.
    """
    if max_pixels is None:
        return
    size = _quick_size(file) or (_header(file) or (0, 0))[:2]
    _check_pixels(size, path, max_pixels)


def _check_pixels(size: Sequence[int], path: str, max_pixels: int | None) -> None:
    if max_pixels is not None and size[0] * size[1] > max_pixels:
        raise ValueError(
            f'{path} says that it has {size[0]} x {size[1]} pixels, and the limit is '
            f'{max_pixels} in all; cut it into tiles, or raise max_pixels of '
            'CheckedLoadImageFromFile'
        )


def _header(file: BinaryIO) -> ImageHeader | None:
    """The head of an open file, by Pillow."""
    file.seek(0)
    try:
        with any_size(), Image.open(file) as image:
            return ImageHeader(*image.size, _orientation(image))
    except (OSError, SyntaxError, ValueError, TypeError, OverflowError):
        return None


def _quick_size(file: BinaryIO) -> tuple[int, int] | None:
    """(width, height) of a JPEG or PNG file; None for others and broken ones."""
    file.seek(0)
    head = file.read(24)
    if head.startswith(b'\x89PNG\r\n\x1a\n') and len(head) == 24:
        return struct.unpack('>II', head[16:])
    return _jpeg_size(file) if head.startswith(b'\xff\xd8') else None


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """(width, height) in the frame's header, which follows some other segments."""
    file.seek(2)
    while len(start := file.read(4)) == 4 and start[0] == 0xFF:
        marker, length = start[1], int.from_bytes(start[2:], 'big')
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            height, width = struct.unpack('>HH', file.read(5)[1:].ljust(4, b'\0'))
            return width, height
        file.seek(length - 2, os.SEEK_CUR)
    return None


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
            'place, or take it out of the data'
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
