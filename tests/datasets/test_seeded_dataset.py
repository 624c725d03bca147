"""Loading that depends on the draw alone."""

from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.dataset import ConcatDataset
from torch.utils.data import DataLoader

from mmmix.datasets import DrawIndex, MixSourceSampler, SeededDataset
from tests.datasets.samplers.sources import Shapes


@TRANSFORMS.register_module()
class DrawsNumbers:
    """Stands for augmentations: one number of each generator."""

    def __call__(self, results: dict) -> tuple[float, ...]:
        assert type(results['sample_idx']) is int
        if results['img_path'] == '6':
            raise OSError('broken image')
        numbers = (random.random(), np.random.rand(), torch.rand(1).item())
        return (float(results['img_path']), *numbers)


class Noisy(Shapes):
    """``Shapes`` whose items are random."""

    def __init__(self, count: int) -> None:
        super().__init__(count, 0)
        self.pipeline = DrawsNumbers()


@pytest.fixture
def dataset() -> SeededDataset:
    return SeededDataset(ConcatDataset([Noisy(5), Noisy(6)]))


def load(dataset: SeededDataset, workers: int, start: int = 0, **seed: int) -> list:
    """Twelve batches of four."""
    sampler = MixSourceSampler(dataset, 4, [2, 2], **{'seed': 0, **seed})
    sampler.skip(start * 4)
    loader = DataLoader(
        dataset, 4, sampler=sampler, num_workers=workers, collate_fn=list
    )
    return list(islice(loader, 12))


def states() -> tuple:
    """States of the global generators, in a form to compare."""
    return (
        random.getstate(),
        str(np.random.get_state()),
        torch.get_rng_state().tolist(),
    )


def test_items_do_not_depend_on_workers_or_on_the_past(dataset):
    expected = load(dataset, 0)
    for workers in (1, 2):
        random.seed(workers)
        np.random.seed(workers)
        torch.manual_seed(workers)
        assert load(dataset, workers) == expected
    assert load(dataset, 2, start=5)[:7] == expected[5:]


def test_every_draw_has_numbers_of_its_own(dataset):
    items = [item for batch in load(dataset, 0) for item in batch]
    for generator in range(1, 4):
        assert len({item[generator] for item in items}) == len(items)
    first, other = dataset[DrawIndex(1, 0)], dataset[DrawIndex(1, 1)]
    assert first[0] == other[0]
    assert first[1:] != other[1:]
    assert dataset[DrawIndex(2, 0)][1:] != first[1:]
    assert dataset[DrawIndex(1, 0, seed=1)][1:] != first[1:]
    assert dataset[DrawIndex(1, 0, rank=1)][1:] != first[1:]
    assert dataset[DrawIndex(1, 0)] == first
    assert load(dataset, 0, seed=1) != load(dataset, 0)


def test_the_generators_are_as_before_afterwards(dataset):
    before = states()
    dataset[DrawIndex(3, 8)]
    assert states() == before
    broken = SeededDataset(ConcatDataset([Noisy(7)]))
    with pytest.raises(OSError, match='broken image'):
        broken[DrawIndex(6, 8)]
    assert states() == before


def test_a_plain_int_reads_the_wrapped_dataset_as_it_is(dataset):
    torch.manual_seed(0)
    expected = torch.rand(1).item()
    torch.manual_seed(0)
    assert dataset[1][3] == expected


def test_it_forwards_what_wrappers_forward(dataset):
    assert len(dataset) == 11
    assert dataset.metainfo == dict(classes=('thing',))
    assert dataset.get_data_info(DrawIndex(7, 0))['img_path'] == '2'
    for name in ('get_subset', 'get_subset_'):
        with pytest.raises(NotImplementedError, match='indices'):
            getattr(dataset, name)([0])


def test_it_is_built_from_a_config_and_initialised_when_told(tmp_path):
    inner = dict(
        type='XMLDataset',
        data_root=str(tmp_path),
        ann_file='list.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=('thing',)),
        lazy_init=True,
    )
    lazy = DATASETS.build(dict(type='SeededDataset', dataset=inner, lazy_init=True))
    assert type(lazy.dataset).__name__ == 'XMLDataset'
    with pytest.raises(FileNotFoundError):  # which reads the list
        lazy.full_init()
    with pytest.raises(FileNotFoundError):
        DATASETS.build(dict(type='SeededDataset', dataset=inner))
