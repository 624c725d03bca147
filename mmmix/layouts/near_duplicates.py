"""Images that look alike, by a perceptual hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .image_files import any_size

ALIKE = 8
"""Hashes that differ in at most this many of 64 bits are those of one scene."""

_SIDE = 128
"""JPEG files are decoded at about this size, which is enough for a hash."""


def perceptual_hash(path: str | Path) -> int | None:
    """The 64-bit perceptual hash of an image as it is shown; None if it is broken."""
    try:
        with any_size(), Image.open(path) as image:
            image.draft('L', (_SIDE, _SIDE))
            shown = ImageOps.exif_transpose(image)
            return int(str(imagehash.phash(shown)), 16)
    except (OSError, SyntaxError, ValueError, TypeError, OverflowError):
        return None


def distances(first: Sequence[int], second: Sequence[int]) -> np.ndarray:
    """In how many bits hashes differ: ``(len(first), len(second))``, 0 to 64."""
    a, b = (np.array(hashes, dtype=np.uint64) for hashes in (first, second))
    differ = (a[:, None] ^ b[None]).view(np.uint8).reshape(len(a), len(b), 8)
    return _BITS[differ].sum(-1)


_BITS = np.array([bin(value).count('1') for value in range(256)], dtype=np.uint8)


def pairs_alike(
    first: Sequence[int], second: Sequence[int], at_most: int = ALIKE
) -> list[tuple[int, int]]:
    """Pairs of positions whose images look alike."""
    pairs, step = [], 512
    for start in range(0, len(first), step):
        near = distances(first[start : start + step], second) <= at_most
        pairs += [(start + int(i), int(j)) for i, j in zip(*np.nonzero(near))]
    return pairs


def groups_alike(hashes: Sequence[int], at_most: int = ALIKE) -> list[list[int]]:
    """Positions in groups that hang together by looking alike, each in its order."""
    rows, columns = np.reshape(pairs_alike(hashes, hashes, at_most), (-1, 2)).T
    shape = (len(hashes), len(hashes))
    near = coo_matrix((np.ones(len(rows)), (rows, columns)), shape)
    _, labels = connected_components(near, directed=False)
    groups: dict[int, list[int]] = {}
    for index in range(len(hashes)):
        groups.setdefault(labels[index], []).append(index)
    return list(groups.values())
