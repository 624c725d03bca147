"""MixImage: agreement with MixBatch, draws, errors, and life in a DataLoader."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from mmdet.datasets import MultiImageMixDataset
from mmdet.datasets.transforms import PackDetInputs
from mmdet.models import DetDataPreprocessor
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import pseudo_collate
from mmengine.logging import MessageHub
from torch.utils.data import DataLoader, Dataset

from mmmix.datasets import (
    CutMixImage,
    DrawIndex,
    MixImage,
    PackMixInputs,
    SeededDataset,
)
from mmmix.models import CutMixBatch, MixBatch
from mmmix.models.supervisions import LossMix

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONSTANT = dict(type='Constant', value=0.3)
BETA = dict(type='Beta', alpha=1.0)
KINDS = [(MixImage, MixBatch), (CutMixImage, CutMixBatch)]


def loaded(height, width, seed=0, boxes=2, ignore=0):
    """An image and its annotations as a pipeline has them after loading."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 8, (boxes, 2))
    return dict(
        img=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        img_shape=(height, width),
        ori_shape=(height, width),
        img_path=f'{seed}.jpg',
        img_id=str(seed),
        sample_idx=seed,
        gt_bboxes=HorizontalBoxes(np.hstack([corner, corner + 6]).astype(np.float32)),
        gt_bboxes_labels=rng.integers(0, 20, boxes),
        gt_ignore_flags=np.arange(boxes) < ignore,
    )


class ListDataset:
    """The least that MultiImageMixDataset wraps."""

    metainfo = {}

    def __init__(self, items):
        self.items = items

    def full_init(self):
        pass

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return copy.deepcopy(self.items[index])


def wrapped(items, *pipeline):
    """A MultiImageMixDataset over loaded images."""
    dataset = MultiImageMixDataset.__new__(MultiImageMixDataset)
    dataset.__dict__.update(
        dataset=ListDataset(items),
        pipeline=list(pipeline),
        pipeline_types=[type(step).__name__ for step in pipeline],
        _skip_type_keys=None,
        max_refetch=15,
        num_samples=len(items),
        _fully_initialized=True,
    )
    return dataset


@pytest.mark.parametrize(
    ('align', 'pad', 'sizes'),
    [
        ('resize', 'mean', [(40, 40), (40, 40)]),
        ('center', 'mean', [(41, 30), (20, 51)]),
        ('center', 'black', [(41, 30), (20, 51)]),
        ('corner', 'mean', [(41, 30), (20, 51)]),
    ],
)
@pytest.mark.parametrize('keep', ['all', 'dominant'])
def test_agrees_with_mix_batch(align, pad, sizes, keep):
    """The same pair and λ, mixed before or after normalisation."""
    pair = [loaded(*size, seed=i, ignore=i) for i, size in enumerate(sizes)]
    settings = dict(ratio=CONSTANT, align=align, pad=pad, keep=keep)
    preprocess = dict(mean=MEAN, std=STD, bgr_to_rgb=True, pad_size_divisor=32)

    in_dataset = MixImage(**settings, mean=MEAN, bgr_to_rgb=True)
    one = PackMixInputs()(in_dataset.mix(*copy.deepcopy(pair), lam=0.3))
    got = DetDataPreprocessor(**preprocess)(pseudo_collate([one]), training=True)

    mixer = dict(type='MixBatch', **settings)
    if pad == 'black':
        mixer.update(mean=MEAN, std=STD)
    packed = [PackMixInputs()(item) for item in copy.deepcopy(pair)]
    want = DetDataPreprocessor(**preprocess, batch_augments=[mixer])(
        pseudo_collate(packed), training=True
    )
    sample, expected = got['data_samples'][0], want['data_samples'][0]
    height, width = expected.img_shape
    torch.testing.assert_close(
        got['inputs'][0, :, :height, :width],
        want['inputs'][0, :, :height, :width],
        rtol=0,
        atol=1e-4,
    )
    for key in ('img_shape', 'pad_shape', 'mix_weights', 'mix_supervision'):
        assert sample.metainfo.get(key) == expected.metainfo.get(key)
    for field in ('gt_instances', 'ignored_instances'):
        one, other = getattr(sample, field), getattr(expected, field)
        assert set(one.keys()) == set(other.keys())
        for key in one.keys():  # noqa: SIM118  an InstanceData is no dict
            torch.testing.assert_close(one[key], other[key])


def masked(item, padded=(0, 0)):
    """An image with a mask for each box, of its size or padded."""
    height, width = map(max, item['img'].shape[:2], padded)
    shape = (len(item['gt_bboxes']), height, width)
    masks = np.zeros(shape, dtype=np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, item['gt_bboxes'].tensor.int().tolist()):
        mask[y1:y2, x1:x2] = 1
    return item | dict(gt_masks=BitmapMasks(masks, height, width))


@pytest.mark.parametrize('pair_of_kinds', KINDS)
@pytest.mark.parametrize('supervision', ['Union', 'LossMix'])
def test_masks_and_boxes_moved_out_agree_with_a_batch(pair_of_kinds, supervision):
    """λ is 0.3 and the region in the middle in both."""
    in_dataset, in_batch = pair_of_kinds
    pair = [
        masked(loaded(*size, seed=i)) for i, size in enumerate([(30, 21), (24, 27)])
    ]
    pair[0]['gt_bboxes'].tensor[1] += 900
    settings = dict(ratio=CONSTANT, supervision=dict(type=supervision), pad='black')
    mixed = in_dataset(**settings).mix(*copy.deepcopy(pair), lam=0.3)
    got = PackMixInputs()(mixed)['data_samples'].gt_instances
    packed = [PackMixInputs()(item)['data_samples'] for item in copy.deepcopy(pair)]
    for sample in packed:
        sample.gt_instances.bboxes = sample.gt_instances.bboxes.tensor
    mixer = in_batch(**settings, mean=[0.0], std=[1.0], pairing='roll')
    mixer._centres = lambda rng, count, size: (
        [(0.5, 0.5) if in_batch is CutMixBatch else None] * size
    )
    want = mixer(torch.zeros(2, 3, 30, 27), packed)[1][0].gt_instances
    assert got.mix_ids.tolist() == want.mix_ids.tolist()
    assert set(got.mix_ids.tolist()) <= {0, 1}
    hidden = in_batch is CutMixBatch and supervision == 'Union'
    assert got.mix_ids.tolist().count(0) == (0 if hidden else 1)
    torch.testing.assert_close(got.bboxes.tensor, want.bboxes)
    assert np.array_equal(got.masks.masks, want.masks.masks)


@pytest.mark.parametrize('shape', [(20, 30), (20, 30, 1), (20, 30, 2), (20, 30, 4)])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
def test_images_of_any_number_of_channels(shape, dtype):
    rng = np.random.default_rng(0)
    pair = [
        loaded(*size, seed=i)
        | dict(img=rng.integers(0, 256, (*size, *shape[2:])).astype(dtype))
        for i, size in enumerate([(20, 30), (24, 20)])
    ]
    mixer = MixImage(ratio=CONSTANT, mean=[100.0], align='corner')
    image = mixer.mix(*copy.deepcopy(pair), lam=0.3)['img']
    assert image.dtype == np.float32
    assert image.shape == (24, 30, *shape[2:])
    layers = [np.full(image.shape, 100.0) for _ in pair]
    for layer, item in zip(layers, pair):
        layer[: item['img'].shape[0], : item['img'].shape[1]] = item['img']
    np.testing.assert_allclose(image, 0.3 * layers[0] + 0.7 * layers[1], rtol=1e-5)
    packed = PackMixInputs()(pair[0] | dict(img=image))
    assert packed['inputs'].shape == ((*shape, 1)[2], 24, 30)


def test_channels_that_do_not_fit_are_named():
    gray = loaded(20, 20, seed=0)
    gray['img'] = gray['img'][..., 0]
    mixer = MixImage(ratio=CONSTANT, pad='black')
    with pytest.raises(ValueError, match=r'0.jpg and 1.jpg have 1 and 3 channels'):
        mixer.mix(gray, loaded(20, 20, seed=1), lam=0.3)
    tall = loaded(30, 20, seed=1)
    tall['img'] = tall['img'][..., 0]
    with pytest.raises(ValueError, match='has 3 channels and the image 1'):
        MixImage(ratio=CONSTANT, mean=MEAN).mix(gray, tall, lam=0.3)


@pytest.mark.parametrize('enabled', [True, False])
def test_every_image_says_how_it_is_supervised(enabled):
    """Also one that is not mixed, and when switched off: workers run ahead."""
    items = [loaded(20, 20, seed=i) for i in range(4)]
    mixer = MixImage(
        ratio=BETA, pad='black', prob=0.5, supervision=dict(type='LossMix', reg=False)
    )
    mixer.enabled = enabled
    dataset = wrapped(items, mixer, PackMixInputs())
    samples = [dataset[i % 4]['data_samples'] for i in range(24)]
    assert {sample.mix_supervision for sample in samples} == {LossMix(reg=False)}
    mixed = ['mix_weights' in sample for sample in samples]
    assert any(mixed) == enabled
    assert not all(mixed)


def test_whole_pipeline_mixes_and_packs():
    items = [loaded(30, 40, seed=i) for i in range(6)]
    dataset = wrapped(items, MixImage(ratio=BETA, pad='black'), PackMixInputs())
    lams, partners = set(), set()
    for index in range(6):
        packed = dataset[index]
        sample = packed['data_samples']
        if 'mix_weights' not in sample.metainfo:
            continue
        lam = sample.mix_weights[0]
        others = sample.gt_instances.labels[sample.gt_instances.mix_ids == 1]
        (partner,) = (
            i
            for i, item in enumerate(items)
            if (item['gt_bboxes_labels'] == others.numpy()).all() and i != index
        )
        images = [items[i]['img'].astype(np.float64) for i in (index, partner)]
        want = lam * images[0] + (1 - lam) * images[1]
        got = packed['inputs'].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(got, want, atol=1e-3)
        lams.add(lam)
        partners.add(partner)
    assert len(lams) >= 4
    assert len(partners) >= 2


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
    [(None, False, 0), ('fork', False, 2), ('fork', True, 2), ('spawn', False, 1)],
)
def test_passes_differ_without_a_hook(context, persistent, workers):
    """Whether workers live on or are started anew, and if nobody tells the epoch."""
    found = passes(3, context, persistent=persistent, workers=workers)
    assert len({tuple(partners) for partners in found}) == 3


@pytest.mark.parametrize('context', ['fork', 'spawn'])
def test_workers_know_seed_and_epoch(context):
    """Also those that were spawned, which share no memory of the Runner's."""
    count = 1 if context == 'spawn' else 2
    first = passes(count, context, seed=1, epochs=[5, 6], workers=1)
    assert passes(count, context, seed=1, epochs=[5, 6], workers=1) == first
    other_seed = passes(count, context, seed=2, epochs=[5, 6], workers=1)
    other_epoch = passes(count, context, seed=1, epochs=[7, 8], workers=1)
    for one, *others in zip(first, other_seed, other_epoch):
        assert one not in others


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


def test_outside_multi_image_mix_dataset():
    with pytest.raises(ValueError, match='MultiImageMixDataset'):
        MixImage(ratio=BETA, pad='black')(loaded(20, 20))


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(mix_weights=(0.5, 0.5)), ValueError, 'already mixed'),
        (dict(gt_seg_map=0), TypeError, 'gt_seg_map'),
        (dict(gt_bboxes=np.zeros((2, 4))), TypeError, 'ndarray'),
        (dict(gt_bboxes=HorizontalBoxes([[9.0, 9, 2, 2]] * 2)), ValueError, 'inverted'),
    ],
)
@pytest.mark.parametrize('side', [0, 1])
def test_bad_images_are_refused(change, error, message, side):
    pair = [loaded(20, 20, seed=0), loaded(20, 20, seed=1)]
    pair[side].update(change)
    with pytest.raises(error, match=message):
        MixImage(ratio=BETA, pad='black')({**pair[0], 'mix_results': [pair[1]]})


def test_mean_padding_needs_the_mean():
    with pytest.raises(ValueError, match='mean='):
        MixImage(ratio=BETA)
    MixImage(ratio=BETA, align='resize')


class DropFirstBox:
    """A transform that loses a box, as RandomCrop may."""

    def __call__(self, results):
        for key in ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags'):
            results[key] = results[key][1:]
        return results


def test_a_box_dropping_transform_after_mixing_is_an_error():
    items = [loaded(20, 20, seed=i) for i in range(3)]
    mixer = MixImage(ratio=BETA, pad='black')
    dataset = wrapped(items, mixer, DropFirstBox(), PackMixInputs())
    with pytest.raises(ValueError, match='move it before MixImage'):
        [dataset[index] for index in range(3)]


def test_packing_an_unmixed_image_is_stock():
    item = loaded(20, 20, ignore=1)
    ours, stock = PackMixInputs()(dict(item)), PackDetInputs()(dict(item))
    assert torch.equal(ours['inputs'], stock['inputs'])
    for field in ('gt_instances', 'ignored_instances'):
        one = getattr(ours['data_samples'], field)
        other = getattr(stock['data_samples'], field)
        assert set(one.keys()) == set(other.keys())
    assert ours['data_samples'].metainfo == stock['data_samples'].metainfo


def test_mix_batch_after_mix_image_is_an_error():
    items = [loaded(20, 20, seed=i) for i in range(4)]
    dataset = wrapped(items, MixImage(ratio=BETA, pad='black'), PackMixInputs())
    data = pseudo_collate([dataset[i] for i in range(4)])
    inputs = torch.stack(data['inputs']).float()
    with pytest.raises(ValueError, match='use one mixer'):
        MixBatch(ratio=CONSTANT)(inputs, data['data_samples'])
