"""Loading that depends on the draw alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS

from mmmix.mixing.counters import counter_rng, loading_draw

from .samplers import DrawIndex


@DATASETS.register_module()
class SeededDataset:
    """Give every draw of a sampler its own random numbers.

    Goes around the whole training dataset. The pipeline's augmentations of an item
    then depend on the seed, the process, the number of the draw and the item, but
    not on the number of workers or on what was loaded before, so a resumed run
    sees the images that an uninterrupted one would see. Python's, numpy's and
    torch's CPU generators are as before afterwards.

    The sampler must yield ``DrawIndex``, as ``MixSourceSampler`` does; for a plain
    int the wrapped dataset is read as it is, of which a training warns. Mixers of
    images that are inside draw from the same counters.

    Args:
        dataset: The wrapped dataset or its config.
        lazy_init: Whether annotations are loaded later, by :meth:`full_init`.
    """

    def __init__(self, dataset: Any, lazy_init: bool = False) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> Any:
        """Meta information of the wrapped dataset."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Load the annotations unless that is done."""
        self.dataset.full_init()

    def get_data_info(self, idx: int) -> dict:
        """Annotation of an item of the wrapped dataset."""
        return self.dataset.get_data_info(int(idx))

    def get_subset_(self, indices: Any) -> None:
        """Not supported, as in every wrapper: set ``indices`` of the inner dataset."""
        raise NotImplementedError('set `indices` of the wrapped dataset instead')

    get_subset = get_subset_

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> Any:
        if not isinstance(idx, DrawIndex):
            return self.dataset[idx]
        with seeded_generators(*idx.counters), loading_draw(*idx.counters):
            return self.dataset[int(idx)]


@contextmanager
def seeded_generators(*counters: int) -> Iterator[None]:
    """Seed the global CPU generators for a while, then put them back.

    Args:
        counters: Non-negative integers that make the seeds.
    """
    seeds = counter_rng(*counters).integers(2**32, size=3).tolist()
    python, numpy = random.getstate(), np.random.get_state()
    torch_state = torch.get_rng_state()
    try:
        random.seed(seeds[0])
        np.random.seed(seeds[1])
        # not torch.manual_seed, which would seed GPUs too
        torch.default_generator.manual_seed(seeds[2])
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(torch_state)
