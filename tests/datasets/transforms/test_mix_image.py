"""MixImage: agreement with MixBatch, draws, errors, and life in a DataLoader."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.datasets import MultiImageMixDataset
from mmdet.datasets.transforms import PackDetInputs
from mmdet.models import DetDataPreprocessor
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mmmix.datasets import MixImage, PackMixInputs
from mmmix.models import MixBatch

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONSTANT = dict(type='Constant', value=0.3)
BETA = dict(type='Beta', alpha=1.0)


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
    for key in ('img_shape', 'pad_shape', 'mix_weights'):
        assert sample.metainfo.get(key) == expected.metainfo.get(key)
    for field in ('gt_instances', 'ignored_instances'):
        one, other = getattr(sample, field), getattr(expected, field)
        assert set(one.keys()) == set(other.keys())
        for key in one.keys():  # noqa: SIM118  an InstanceData is no dict
            torch.testing.assert_close(one[key], other[key])


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
