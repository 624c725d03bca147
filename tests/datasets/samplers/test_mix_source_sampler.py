"""Drawing batches from several sources."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from mmdet.datasets import AspectRatioBatchSampler
from mmdet.registry import DATA_SAMPLERS
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader, SequentialSampler

from mmmix.datasets import DrawIndex, MixSourceSampler, SeededDataset
from mmmix.datasets.samplers import check_source_batches, mix_source_sampler
from mmmix.datasets.samplers.source_cell import SourceCell

from .sources import Shapes, concat


def draw(sampler: MixSourceSampler, batches: int) -> np.ndarray:
    """``(batches, batch_size)`` indices."""
    size = sampler.batch_size
    return np.array(list(islice(sampler, batches * size))).reshape(batches, size)


def test_the_registry_builds_it_with_what_a_runner_adds():
    cfg = dict(type='MixSourceSampler', batch_size=2, source_ratio=[1, 1])
    sampler = DATA_SAMPLERS.build(
        cfg, default_args=dict(dataset=concat((2, 0), (3, 0)), seed=4)
    )
    assert (sampler.num_per_source, sampler.seed, len(sampler)) == ([1, 1], 4, 5)


def test_a_batch_stands_source_by_source_in_the_ratio():
    dataset = concat((4, 0), (5, 0), (6, 0))
    sampler = MixSourceSampler(dataset, 6, [1, 2, 3], seed=0)
    for batch in draw(sampler, 50):
        sources = np.digitize(batch, [4, 9])
        assert sources.tolist() == [0, 1, 1, 2, 2, 2]


def test_a_ratio_is_a_matter_of_shares():
    dataset = concat((4, 0), (5, 0))
    for ratio in ([2, 8], [1, 4], [0.2, 0.8]):
        assert MixSourceSampler(dataset, 10, ratio, seed=0).num_per_source == [2, 8]


def test_every_image_of_a_source_comes_once_before_one_comes_again():
    sampler = MixSourceSampler(concat((4, 0), (6, 0)), 5, [2, 3], seed=1)
    first = draw(sampler, 2)
    assert sorted(first[:, :2].ravel()) == [0, 1, 2, 3]
    assert sorted(first[:, 2:].ravel()) == [4, 5, 6, 7, 8, 9]
    many = Counter(draw(sampler, 200).ravel().tolist())
    assert {many[i] for i in range(4)} == {100}
    assert {many[i] for i in range(4, 10)} == {100}


def test_passes_over_a_source_have_new_orders():
    passes = draw(MixSourceSampler(concat((50, 0), (9, 0)), 51, [50, 1], seed=0), 2)
    assert sorted(passes[0, :50]) == sorted(passes[1, :50]) == list(range(50))
    assert passes[0, :50].tolist() != passes[1, :50].tolist()


def test_sources_of_one_length_have_orders_of_their_own():
    """mmdet seeds all sources alike, which pairs their images for good."""
    batch = draw(MixSourceSampler(concat((50, 0), (50, 0)), 100, [1, 1], seed=3), 1)[0]
    assert sorted(batch[:50]) == sorted(batch[50:] - 50)
    assert batch[:50].tolist() != (batch[50:] - 50).tolist()


def test_without_shuffling_the_order_is_that_of_the_data():
    sampler = MixSourceSampler(concat((3, 0), (4, 0)), 3, [1, 2], False, seed=0)
    assert draw(sampler, 3).tolist() == [[0, 3, 4], [1, 5, 6], [2, 3, 4]]


def test_the_seed_decides():
    dataset = concat((20, 0), (30, 0))
    first, same, other = (
        draw(MixSourceSampler(dataset, 2, [1, 1], seed=seed), 20) for seed in (0, 0, 1)
    )
    assert (first == same).all()
    assert (first != other).any()


def test_a_grouped_batch_has_one_shape_and_shapes_their_frequency():
    dataset = concat((30, 70), (10, 90))
    upright = np.array([dataset.get_data_info(i)['width'] == 2 for i in range(200)])
    sampler = MixSourceSampler(dataset, 4, [2, 2], group_by_shape=True, seed=0)
    shapes = upright[draw(sampler, 4000)]
    assert (shapes == shapes[:, :1]).all()
    assert abs(shapes[:, 0].mean() - 40 / 200) < 0.02
    plain = MixSourceSampler(dataset, 4, [2, 2], seed=0)
    shapes = upright[draw(plain, 4000)]
    assert (shapes != shapes[:, :1]).any()
    assert abs(shapes[:, :2].mean() - 30 / 100) < 0.02


@pytest.mark.parametrize('empty', [(0, 6), (6, 0)])
def test_a_source_without_a_shape_gives_the_other(empty):
    """mmdet's sampler never returns here."""
    dataset = concat(empty, (40, 40))
    sampler = MixSourceSampler(dataset, 3, [1, 2], group_by_shape=True, seed=2)
    batches = draw(sampler, 600)
    assert (batches[:, 0] < 6).all()
    assert set(Counter(batches[:, 0].tolist()).values()) == {100}
    lengthwise = batches[:, 1:] >= 46
    assert (lengthwise[:, 0] == lengthwise[:, 1]).all()
    assert 250 < lengthwise[:, 0].sum() < 350


def test_an_empty_shape_in_all_sources_is_never_drawn():
    sampler = MixSourceSampler(
        concat((0, 3), (0, 4)), 2, [1, 1], group_by_shape=True, seed=0
    )
    assert Counter(draw(sampler, 12).ravel().tolist()) == {
        **dict.fromkeys(range(3), 4),
        **dict.fromkeys(range(3, 7), 3),
    }


@pytest.mark.parametrize('grouped', [False, True])
def test_skipping_continues_the_same_draws(grouped, monkeypatch):
    monkeypatch.setattr(mix_source_sampler, '_BLOCK', 8)
    dataset = concat((3, 4), (0, 7), (11, 2))
    args = dict(batch_size=6, source_ratio=[1, 2, 3], group_by_shape=grouped, seed=5)
    whole = list(islice(MixSourceSampler(dataset, **args), 300))
    assert [index.draw for index in whole] == list(range(300))
    sampler = MixSourceSampler(dataset, **args)
    for start in (0, 6, 42, 48, 54, 200, 7, 95):  # absolute: also backwards
        sampler.skip(start)
        rest = list(islice(sampler, 60))
        assert rest == whole[start : start + 60]
        assert [i.counters for i in rest] == [
            i.counters for i in whole[start : start + 60]
        ]


def test_skipping_draws_no_image(monkeypatch):
    positions = []
    original = SourceCell.at

    def at(cell: SourceCell, position: int) -> int:
        positions.append(position)
        return original(cell, position)

    monkeypatch.setattr(SourceCell, 'at', at)
    sampler = MixSourceSampler(concat((9, 9), (9, 9)), 2, [1, 1], seed=0)
    sampler.skip(200_000)
    list(islice(sampler, 4))
    assert positions == [100_000, 100_000, 100_001, 100_001]


def test_mmengine_skips_by_itself_where_it_can():
    dataset = SeededDataset(concat((5, 5), (5, 5)))
    args = dict(batch_size=4, source_ratio=[2, 2], group_by_shape=True, seed=6)

    def batches() -> _InfiniteDataloaderIterator:
        sampler = MixSourceSampler(dataset, **args)
        loader = DataLoader(dataset, 4, sampler=sampler, collate_fn=list)
        return _InfiniteDataloaderIterator(loader)

    whole = list(islice(batches(), 12))
    resumed = batches()
    if not hasattr(resumed, 'skip_iter'):
        pytest.skip('mmengine of this version loads and discards')
    resumed.skip_iter(9)
    assert list(islice(resumed, 3)) == whole[9:]


@pytest.mark.parametrize('grouped', [False, True])
def test_processes_share_the_passes(grouped, monkeypatch):
    dataset = concat((4, 8), (6, 18))
    args = dict(batch_size=3, source_ratio=[1, 2], group_by_shape=grouped, seed=7)
    ranks = []
    for rank in range(2):
        monkeypatch.setattr(
            mix_source_sampler, 'get_dist_info', lambda rank=rank: (rank, 2)
        )
        sampler = MixSourceSampler(dataset, **args)
        ranks.append(draw(sampler, 60))
        assert {index.rank for index in islice(sampler, 3)} == {rank}
    both = Counter(np.concatenate(ranks).ravel().tolist())
    if grouped:
        upright = np.array([dataset.get_data_info(i)['width'] == 2 for i in range(36)])
        assert (upright[ranks[0]] == upright[ranks[1]]).all()
    else:
        assert {both[i] for i in range(12)} == {10}
        assert {both[i] for i in range(12, 36)} == {10}
        together = np.concatenate([ranks[0][:6, 0], ranks[1][:6, 0]])
        assert sorted(together) == list(range(12))


def test_it_finds_the_sources_behind_wrappers():
    dataset = SeededDataset(SeededDataset(concat((2, 0), (3, 0))))
    sampler = MixSourceSampler(dataset, 2, [1, 1], seed=0)
    assert [len(source) for source in sampler.sources] == [2, 3]


def test_what_is_wrong_is_said():
    dataset = concat((2, 0), (3, 0))
    with pytest.raises(TypeError, match="dict\\(type='ConcatDataset'"):
        MixSourceSampler(Shapes(2, 0), 2, [1, 1])
    for ratio in ([1], [1, 1, 1], [1, 0], [1, -1]):
        with pytest.raises(ValueError, match='2 positive shares'):
            MixSourceSampler(dataset, 2, ratio)
    with pytest.raises(ValueError, match=r'that gives 0.8, 3.2 images'):
        MixSourceSampler(dataset, 4, [1, 4])
    with pytest.raises(ValueError, match=r'that gives 0.2, 1.8 images'):
        MixSourceSampler(dataset, 2, [1, 9])
    with pytest.raises(ValueError, match='source 1 of the ConcatDataset has no image'):
        MixSourceSampler(concat((2, 0), (0, 0)), 2, [1, 1])
    unsized = concat((2, 0))
    unsized.datasets[0] = Shapes(2, 0, sized=False)
    with pytest.raises(ValueError, match=r'image 0 \(0\) has no .*by_shape=False'):
        MixSourceSampler(unsized, 2, [1], group_by_shape=True)
    assert MixSourceSampler(unsized, 2, [1]).num_per_source == [2]
    with pytest.raises(ValueError, match='num_samples >= 0, got -1'):
        MixSourceSampler(dataset, 2, [1, 1]).skip(-1)


def test_the_loader_must_have_the_batch_size_of_its_sampler():
    dataset = concat((2, 0), (3, 0))
    sampler = MixSourceSampler(dataset, 2, [1, 1], seed=0)
    sampler.check_loader(DataLoader(dataset, 2, sampler=sampler))
    with pytest.raises(ValueError, match=r'batch_size is 4 and .*batch_size is 2'):
        sampler.check_loader(DataLoader(dataset, 4, sampler=sampler))


def test_a_batch_sampler_of_ones_own_is_refused():
    """By shape it would make batches without an image of one source."""
    dataset = concat((3, 4), (5, 6))
    sampler = MixSourceSampler(dataset, 4, [1, 3], seed=0)
    by_shape = AspectRatioBatchSampler(sampler, 4)
    sources = [{int(index >= 7) for index in batch} for batch in islice(by_shape, 6)]
    assert sources.count({0, 1}) < 6
    check_source_batches(DataLoader(dataset, 4, sampler=sampler))
    check_source_batches(
        DataLoader(
            dataset,
            batch_sampler=AspectRatioBatchSampler(SequentialSampler(dataset), 2),
        )
    )
    with pytest.raises(ValueError, match='batch_sampler=AspectRatioBatchSampler makes'):
        check_source_batches(DataLoader(dataset, batch_sampler=by_shape))


def test_an_index_is_an_int_and_survives_pickling_and_copying():
    index = DrawIndex(3, draw=7, seed=5, rank=2)
    assert index == 3
    assert [10, 11, 12, 13][index] == 13
    for twin in (pickle.loads(pickle.dumps(index)), copy.deepcopy(index)):
        assert isinstance(twin, DrawIndex)
        assert (int(twin), twin.draw, twin.seed, twin.rank) == (3, 7, 5, 2)
        assert twin.counters == (5, 2, 7, 3)
