"""Batches with a fixed number of images of every source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from itertools import accumulate, islice

import numpy as np
from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import DataLoader, Sampler

from mmmix.mixing.counters import counter_rng

from .draw_index import DrawIndex
from .shape_groups import NUM_GROUPS, shape_groups
from .source_cell import SourceCell
from .sources import concatenated_sources, split_batch

_BLOCK = 4096
_GROUPS, _IMAGES = 0, 1  # what is drawn


@DATA_SAMPLERS.register_module()
class MixSourceSampler(Sampler):
    """Draw each batch from several sources in a fixed ratio, without end.

    Within a batch the images stand source by source, in the order of the
    ``ConcatDataset``. A source goes through all of its images, in an order of its
    own, before one comes a second time; processes of a distributed run share
    these passes. For ``IterBasedTrainLoop``: an epoch of it would never end.

    Every draw is a function of (seed, source, position), so reading may start
    anywhere at once: see :meth:`skip`.

    With ``group_by_shape`` the images of a batch, of whichever source, are all
    upright or all lengthwise (square ones count as lengthwise), which saves
    padding where images of different sources are mixed. A shape is then drawn
    with its frequency in all sources together. A source without an image of that
    shape gives images of the other, so an empty shape stops nothing.

    Args:
        dataset: A ``ConcatDataset`` of the sources, or a wrapper around one.
        batch_size: Images a batch, all sources together; that of the dataloader.
        source_ratio: Positive shares of the sources in a batch. They must give
            whole numbers of images: 5 images by [1, 4], not by [1, 3].
        shuffle: Whether each pass over a source has a new order.
        group_by_shape: Whether a batch has one shape. It reads ``width`` and
            ``height`` of every image once.
        seed: Seed of all draws, the same in all processes; None for a random one.
            The Runner passes its own.

    Raises:
        TypeError: If the dataset is no ``ConcatDataset``.
        ValueError: If ratio, sources and batch size do not fit each other, a
            source is empty, or images have no ``width`` and ``height``.
    """

    def __init__(
        self,
        dataset: Sized,
        batch_size: int,
        source_ratio: Sequence[float],
        shuffle: bool = True,
        group_by_shape: bool = False,
        seed: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.sources = concatenated_sources(dataset)
        self.batch_size = batch_size
        self.num_per_source = split_batch(batch_size, source_ratio, len(self.sources))
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        self._groups = [
            shape_groups(source) if group_by_shape else np.zeros(len(source), int)
            for source in self.sources
        ]
        sizes = np.bincount(np.concatenate(self._groups), minlength=NUM_GROUPS)
        self._group_rates = sizes / sizes.sum()
        self._start = 0

    def __repr__(self) -> str:
        sizes = [len(source) for source in self.sources]
        return (
            f'MixSourceSampler(num_per_source={self.num_per_source}, of={sizes}, '
            f'shuffle={self.shuffle}, seed={self.seed})'
        )

    def __len__(self) -> int:
        """The number of images in all sources; the draws have no end."""
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """Does nothing: the passes over each source take the place of epochs."""

    def skip(self, num_samples: int) -> None:
        """Let the next iteration start as if so many images had been drawn.

        It draws none of them. mmengine calls the method of this name when a run
        resumes, where its version knows it.

        Args:
            num_samples: Images, not batches, that this process drew since the
                start of the run.

        Raises:
            ValueError: If it is negative.
        """
        if num_samples < 0:
            raise ValueError(f'skip expects num_samples >= 0, got {num_samples}')
        self._start = num_samples

    def check_loader(self, loader: DataLoader) -> None:
        """Make sure that a dataloader's batches are this sampler's.

        Raises:
            ValueError: If their sizes differ, or a batch sampler makes others of it.
        """
        if loader.batch_size is None and loader.batch_sampler is not None:
            raise ValueError(
                f'train_dataloader.batch_sampler={type(loader.batch_sampler).__name__} '
                'makes batches of its own, so that they would not have the images of '
                'every source; set batch_sampler=None, and group_by_shape=True of the '
                'sampler if a batch is to have one shape'
            )
        if loader.batch_size != self.batch_size:
            raise ValueError(
                f'train_dataloader.batch_size is {loader.batch_size} and its '
                f'sampler.batch_size is {self.batch_size}, so that no batch would '
                'have the images of every source; set both to the same number'
            )

    def __iter__(self) -> Iterator[DrawIndex]:
        batch, done = divmod(self._start, self.batch_size)
        draws = enumerate(self._draws(batch), batch * self.batch_size)
        for draw, index in islice(draws, done, None):
            yield DrawIndex(index, draw, self.seed, self.rank)

    def _draws(self, batch: int) -> Iterator[int]:
        """Indices of this process from the given batch on."""
        cells = self._cells(batch)
        while True:
            for group in self._group_block(batch // _BLOCK)[batch % _BLOCK :]:
                for cell, number in zip(cells[group], self.num_per_source):
                    first = (cell.batches * self.world_size + self.rank) * number
                    cell.batches += 1
                    yield from map(cell.at, range(first, first + number))
                batch += 1

    def _cells(self, batch: int) -> list[list[SourceCell]]:
        """``cells[group][source]`` as they are before a batch.

        Where a source has no image of a group, its other cell stands in twice.
        """
        drawn = np.zeros(NUM_GROUPS, int)
        for block in range(-(-batch // _BLOCK)):
            groups = self._group_block(block)[: batch - block * _BLOCK]
            drawn += np.bincount(groups, minlength=NUM_GROUPS)
        offsets = accumulate((len(source) for source in self.sources), initial=0)
        cells: list[list[SourceCell]] = [[] for _ in range(NUM_GROUPS)]
        for source, (offset, groups) in enumerate(zip(offsets, self._groups)):
            made = []
            for group in range(NUM_GROUPS):
                indices = np.flatnonzero(groups == group) + offset
                counters = (self.seed, _IMAGES, source, group)
                made.append(SourceCell(indices, self.shuffle, counters))
            for group in range(NUM_GROUPS):
                cell = made[group] if len(made[group]) else made[1 - group]
                cell.batches += int(drawn[group])
                cells[group].append(cell)
        return cells

    def _group_block(self, block: int) -> np.ndarray:
        """The groups of ``_BLOCK`` batches, alike in all processes."""
        rng = counter_rng(self.seed, _GROUPS, block)
        return rng.choice(NUM_GROUPS, _BLOCK, p=self._group_rates)


def check_source_batches(loader: DataLoader) -> None:
    """Make sure that batches are those of a loader's ``MixSourceSampler``, if any.

    Raises:
        ValueError: See :meth:`MixSourceSampler.check_loader`.
    """
    batches = getattr(loader, 'batch_sampler', None)
    sampler = getattr(batches, 'sampler', loader.sampler)
    if isinstance(sampler, MixSourceSampler):
        sampler.check_loader(loader)
