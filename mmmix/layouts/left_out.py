"""Images that a data set leaves out for what their files end in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .image_files import SUFFIXES

IMAGES = (
    *SUFFIXES,
    *('.avif', '.dib', '.gif', '.heic', '.heif', '.jfif', '.jp2', '.jpe', '.jxl'),
    *('.pbm', '.pgm', '.pnm', '.ppm'),
)
"""What files of images end in, in any case, whether they are read or not."""


def left_out(names: Iterable[str], read: tuple[str, ...] = SUFFIXES) -> Counter:
    """How many images are not read, by their endings in lower case.

    Args:
        names: Of files, with or without folders.
        read: Endings of those that are.
    """
    lower = (name.lower() for name in names)
    endings = (
        next((ending for ending in IMAGES if name.endswith(ending)), None)
        for name in lower
        if not name.endswith(read)
    )
    return Counter(ending for ending in endings if ending)


def warning_of(names: Iterable[str]) -> str:
    """What to do about images that detectors' commands do not read; empty if none."""
    endings = left_out(names)
    return f'{in_words(endings)}; save them as .jpg or .png' if endings else ''


def in_words(endings: Counter) -> str:
    """A sentence on such numbers: ``3 images ...: 2 of .webp, 1 of .gif``."""
    counted = ', '.join(f'{count} of {ending}' for ending, count in endings.items())
    return (
        f'{endings.total()} images are left out for what their files end in: {counted}'
    )
