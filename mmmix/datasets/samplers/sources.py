"""What a batch of several sources is made of."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np


def concatenated_sources(dataset: Any) -> list[Sized]:
    """The datasets of a ``ConcatDataset`` that may be wrapped.

    Raises:
        TypeError: If there is no ``ConcatDataset``.
        ValueError: If one of its datasets is empty.
    """
    part = dataset
    while not hasattr(part, 'cumulative_sizes') and hasattr(part, 'dataset'):
        part = part.dataset
    if not hasattr(part, 'cumulative_sizes'):
        raise TypeError(
            'MixSourceSampler draws from the parts of a ConcatDataset, got '
            f"{type(dataset).__name__}; wrap the sources as dict(type='ConcatDataset', "
            'datasets=[labelled, unlabelled])'
        )
    for number, source in enumerate(part.datasets):
        if not len(source):
            raise ValueError(
                f'source {number} of the ConcatDataset has no image; check its '
                'ann_file, data_prefix and filter_cfg'
            )
    return list(part.datasets)


def split_batch(batch_size: int, ratio: Sequence[float], num_sources: int) -> list[int]:
    """Images of each source in a batch.

    Args:
        batch_size: Images in a batch.
        ratio: Positive shares of the sources.
        num_sources: How many sources there are.

    Raises:
        ValueError: If the shares are not whole numbers of images.
    """
    if len(ratio) != num_sources or min(ratio) <= 0:
        raise ValueError(
            f'source_ratio expects {num_sources} positive shares, one for each source '
            f'of the ConcatDataset, got {list(ratio)}'
        )
    shares = [batch_size * share / sum(ratio) for share in ratio]
    numbers = [round(share) for share in shares]
    if min(numbers) < 1 or not np.allclose(shares, numbers, rtol=0, atol=1e-6):
        text = ', '.join(f'{share:g}' for share in shares)
        raise ValueError(
            f'batch_size={batch_size} cannot be divided by source_ratio={list(ratio)}: '
            f'that gives {text} images of the sources. Write the images of each '
            'source as the ratio and their sum as batch_size of both the dataloader '
            'and its sampler'
        )
    return numbers
