"""Upright and lengthwise images."""

from __future__ import annotations

from typing import Any

import numpy as np

NUM_GROUPS = 2


def shape_groups(dataset: Any) -> np.ndarray:
    """Group of every image: 0 if it is upright, 1 if lengthwise or square.

    Args:
        dataset: A dataset with ``get_data_info``.

    Returns:
        ``(len(dataset),)`` integers.

    Raises:
        ValueError: If an image does not tell its ``width`` and ``height``.
    """
    return np.array([_group(dataset, index) for index in range(len(dataset))])


def _group(dataset: Any, index: int) -> int:
    info = dataset.get_data_info(index)
    if 'width' not in info or 'height' not in info:
        raise ValueError(
            f"image {index} ({info.get('img_path')}) has no 'width' and 'height' in "
            'its annotation; add them, or set group_by_shape=False in the sampler'
        )
    return int(info['width'] >= info['height'])
