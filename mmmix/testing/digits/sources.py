"""The handwriting and the photographs, cut into parts that no two splits share."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

_FORM_STARTS = (
    *(0, 130, 256, 386, 516, 646, 776),
    *(906, 1029, 1157, 1287, 1415, 1545, 1667),
)
"""First sample of each form. The set is a row of fourteen forms on which people
wrote the same sequence of digits, so whole forms keep a hand in one split."""

_FORMS = {'train': (0, 8), 'val': (8, 10), 'test': (10, 14)}

_PHOTOS = {'source': 'china.jpg', 'target': 'flower.jpg'}

_REGIONS = {
    'source': {
        'train': (0, 0, 330, 427),
        'val': (330, 0, 470, 427),
        'test': (470, 0, 640, 427),
    },
    'target': {
        'train': (0, 0, 640, 200),
        'val': (0, 200, 640, 310),
        'test': (0, 310, 640, 427),
    },
}
"""First column and row, end column and row of a split's part of a photograph."""


def _sklearn_datasets() -> Any:
    try:
        import sklearn.datasets
    except ImportError as error:
        raise ImportError(
            "the digits data is made from scikit-learn's bundled digits and "
            'photographs: pip install scikit-learn pillow'
        ) from error
    return sklearn.datasets


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 8, 8) in [0, 1] and their labels (1797,)."""
    bunch = _sklearn_datasets().load_digits()
    return (bunch.images / 16).astype(np.float32), bunch.target


@cache
def _photo(name: str) -> np.ndarray:
    photo = _sklearn_datasets().load_sample_image(name)
    return np.asarray(photo, dtype=np.float32)


def handwriting(sample: int) -> np.ndarray:
    """The (8, 8) image of a source digit, 0 (paper) to 1 (ink)."""
    return _digits()[0][sample]


@cache
def samples_of(split: str, label: int) -> np.ndarray:
    """Ascending indices of the source digits of a label in a split."""
    labels = _digits()[1]
    first, end = ((*_FORM_STARTS, len(labels))[form] for form in _FORMS[split])
    return first + np.flatnonzero(labels[first:end] == label)


def photo_region(domain: str, split: str) -> tuple[np.ndarray, str, tuple[int, int]]:
    """The part of a photograph that a split of a domain may crop from.

    Returns:
        The (H, W, 3) region, the photograph's file name, and the column and row
        of the photograph at which the region begins.
    """
    name = _PHOTOS[domain]
    x, y, x_end, y_end = _REGIONS[domain][split]
    return _photo(name)[y:y_end, x:x_end], name, (x, y)
