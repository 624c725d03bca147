"""What a digits data set is made of: classes, sizes, splits, domains, seed."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmmix.mixing.counters import counter_rng

CLASSES = (
    'zero',
    'one',
    'two',
    'three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
    'nine',
)
"""Class names; the label of a class is the digit itself."""

SPLITS = ('train', 'val', 'test')
DOMAINS = ('source', 'target')

IMAGE_SIZE = 160
MAX_GLYPHS = 4
GLYPH_SIZES = (24, 72)
"""Smallest and largest longer side of a glyph's box."""

VERSIONS = {'source': 1, 'target': 2}
"""Version of each domain. Raise it when the same settings give other images."""


@dataclasses.dataclass(frozen=True)
class DigitsSettings:
    """Everything the content of a data set depends on.

    Args:
        domain: ``'source'`` or ``'target'``. The target has other backgrounds,
            outlines, inverted or striped, for strokes, and blur.
        train: Number of training images. Fewer images are a prefix of more.
        val: Number of validation images.
        test: Number of test images.
        seed: Non-negative seed.

    Raises:
        TypeError: If a count or the seed is no integer.
        ValueError: If the domain is unknown, or a number is negative.
    """

    domain: str = 'source'
    train: int = 1000
    val: int = 200
    test: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.domain not in DOMAINS:
            raise ValueError(f'domain must be one of {DOMAINS}, got {self.domain!r}')
        for name in (*SPLITS, 'seed'):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f'{name} must be an integer, got {value!r}')
            if value < 0:
                raise ValueError(f'{name} must not be negative, got {value}')

    def images(self) -> list[tuple[str, int]]:
        """(split, index) of every image, in the order they are written."""
        return [
            (split, index) for split in SPLITS for index in range(getattr(self, split))
        ]

    def rng(self, split: str, index: int) -> np.random.Generator:
        """The generator of one image; it depends on no other image."""
        domain = DOMAINS.index(self.domain)
        return counter_rng(self.seed, domain, SPLITS.index(split), index)
