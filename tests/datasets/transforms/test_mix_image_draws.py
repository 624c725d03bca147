"""MixImage: draws that follow the counters, in the workers of a DataLoader."""

from __future__ import annotations

import pickle

import pytest
from mmengine.dataset import pseudo_collate
from mmengine.logging import MessageHub
from torch.utils.data import DataLoader, Dataset

from mmmix.datasets import DrawIndex, MixImage, PackMixInputs, SeededDataset

from .images import BETA, loaded, wrapped


def test_an_image_is_not_mixed_with_itself():
    dataset = wrapped(
        [loaded(20, 20)], MixImage(ratio=BETA, pad='black'), PackMixInputs()
    )
    assert 'mix_weights' not in dataset[0]['data_samples'].metainfo


def epoch_lams(loader):
    """λ of every sample of one pass."""
    return [
        sample.metainfo.get('mix_weights', (None,))[0]
        for batch in loader
        for sample in batch['data_samples']
    ]


@pytest.mark.parametrize('workers', [0, 2])
def test_draws_in_workers_follow_the_counters(workers):
    """Workers differ, epochs differ, and the same epoch again is the same."""
    mixer = MixImage(ratio=BETA, pad='black')
    dataset = wrapped(
        [loaded(16, 16, seed=i) for i in range(8)], mixer, PackMixInputs()
    )
    options = dict(batch_size=2, num_workers=workers, collate_fn=pseudo_collate)
    if workers:
        options.update(persistent_workers=True, multiprocessing_context='fork')
    loader = DataLoader(dataset, **options)
    epochs = []
    for epoch in (0, 1, 2):
        mixer.set_epoch(epoch)
        epochs.append(epoch_lams(loader))
    flat = [lam for lams in epochs for lam in lams if lam is not None]
    assert len(set(flat)) == len(flat) >= 15
    again = MixImage(ratio=BETA, pad='black')
    again.set_epoch(1)
    fresh = DataLoader(
        wrapped(dataset.dataset.items, again, PackMixInputs()), **options
    )
    assert epoch_lams(fresh) == epochs[1]
    mixer.enabled = False  # reaches workers that live since the first epoch
    assert set(epoch_lams(loader)) == {None}


class Partners(Dataset):
    """Draws partners as MultiImageMixDataset lets it, without images."""

    def __init__(self, size=12):
        self.size = size
        self.mixer = MixImage(ratio=BETA, align='resize')

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return self.mixer.get_indexes(self)[0]


def passes(count, context, seed=None, epochs=None, persistent=False, workers=2):
    """The partners of each pass of a loader over the data."""
    hub = MessageHub.get_current_instance()
    if seed is not None:
        hub.update_info('seed', seed)
    loader = DataLoader(
        Partners(),
        4,
        num_workers=workers,
        multiprocessing_context=context,
        persistent_workers=persistent,
    )
    found = []
    for number in range(count):
        if epochs is not None:
            hub.update_info('epoch', epochs[number])  # as RuntimeInfoHook does
        found.append([int(partner) for batch in loader for partner in batch])
    return found


@pytest.mark.parametrize(
    ('context', 'persistent', 'workers'),
    [
        (None, False, 0),
        ('fork', False, 2),
        ('fork', True, 2),
        pytest.param('spawn', False, 1, marks=pytest.mark.slow),
    ],
)
def test_passes_differ_without_a_hook(context, persistent, workers):
    """Whether workers live on or are started anew, and if nobody tells the epoch."""
    count = 2 if context == 'spawn' else 3  # a worker that is spawned imports all
    found = passes(count, context, persistent=persistent, workers=workers)
    assert len({tuple(partners) for partners in found}) == count


def test_workers_know_seed_and_epoch():
    first = passes(2, 'fork', seed=1, epochs=[5, 6], workers=1)
    assert passes(2, 'fork', seed=1, epochs=[5, 6], workers=1) == first
    other_seed = passes(2, 'fork', seed=2, epochs=[5, 6], workers=1)
    other_epoch = passes(2, 'fork', seed=1, epochs=[7, 8], workers=1)
    for one, *others in zip(first, other_seed, other_epoch):
        assert one not in others
    # what a worker that is spawned is given
    state = pickle.dumps(Partners().mixer.counter.__getstate__()['_origin'])
    assert pickle.loads(state) == (1, 0, 8)


@pytest.mark.slow
def test_spawned_workers_know_seed_and_epoch():
    """They share no memory of the Runner's."""
    first = passes(2, 'fork', seed=1, epochs=[5, 6], workers=1)
    assert passes(2, 'spawn', seed=1, epochs=[5, 6], workers=1) == first


def test_a_resumed_run_goes_on_with_the_draws(monkeypatch):
    """Fresh workers in an epoch that the Runner counts, with no hook of ours."""
    whole = passes(3, 'fork', seed=1, epochs=[0, 1, 2])
    assert passes(1, 'fork', seed=1, epochs=[2]) == whole[2:]


def test_ranks_differ_under_spawn(monkeypatch):
    """A worker that was spawned has the rank of its process."""
    found = []
    for rank in (0, 1):
        monkeypatch.setattr(
            'mmmix.mixing.pass_counter.get_rank', lambda rank=rank: rank
        )
        monkeypatch.setattr('mmmix.mixing.pass_counter.is_distributed', lambda: True)
        state = pickle.dumps(Partners().mixer.counter.__getstate__()['_origin'])
        found.append(pickle.loads(state)[1])
    assert found == [0, 1]


def test_a_sampler_that_numbers_its_draws_decides():
    """Nothing depends on workers, on the past or on how often an item was read."""
    dataset = SeededDataset(Partners(1000), lazy_init=True)
    first = [dataset[DrawIndex(i, i, seed=3, rank=1)] for i in range(8)]
    assert len(set(first)) == 8
    assert [dataset[DrawIndex(i, i, 3, 1)] for i in reversed(range(8))] == first[::-1]
    for other in (DrawIndex(0, 8, 3, 1), DrawIndex(0, 0, 4, 1), DrawIndex(0, 0, 3, 0)):
        assert dataset[other] != first[0]


def test_two_sources_draw_independently():
    """The parts of a ConcatDataset have mixers of their own."""
    lams = [
        [wrapped(items, MixImage(ratio=BETA, pad='black'), PackMixInputs())[0]]
        for items in (
            [loaded(16, 16, seed=i) for i in range(8)],
            [loaded(16, 16, seed=i) | dict(sample_idx=i - 8) for i in range(8, 16)],
        )
    ]
    first, second = (
        epoch_lams([dict(data_samples=[d['data_samples'] for d in one])])
        for one in lams
    )
    assert first != second


def test_no_partner_is_loaded_in_vain():
    mixer = MixImage(ratio=BETA, pad='black', prob=0.0)
    assert mixer.get_indexes(range(5)) == []
    assert MixImage(ratio=BETA, pad='black').get_indexes(range(5))[0] in range(5)
