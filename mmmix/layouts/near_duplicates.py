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

SMALL = 64
"""Up to this side, in pixels, the hash alone does not tell images apart."""

SAME = 0.98
"""Correlation of pixels from which on small images are copies. Of scikit-learn's digits
for val and test one of 768 reaches it with another writer's; coarser, brighter and
smoother copies of one keep .99."""


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


def differ_in_detail(first: str | Path, second: str | Path) -> bool:
    """Whether two images that look alike are small and not copies all the same.

    A hash keeps the outline, which digits or icons of one class share.
    """
    pixels = [_small_pixels(path) for path in (first, second)]
    return all(p is not None for p in pixels) and np.vdot(*pixels) < SAME


def _small_pixels(path: str | Path) -> np.ndarray | None:
    """Pixels of a small image with mean 0 and norm 1; None of one that is larger."""
    with any_size(), Image.open(path) as image:
        if max(image.size) > SMALL:
            return None
        grey = ImageOps.exif_transpose(image).convert('L').resize((32, 32))
    pixels = np.asarray(grey, dtype=np.float64)
    pixels = pixels - pixels.mean()
    norm = np.linalg.norm(pixels)
    return pixels / norm if norm else np.full_like(pixels, 1 / 32)


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
