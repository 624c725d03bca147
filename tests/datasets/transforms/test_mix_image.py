"""MixImage: agreement with MixBatch, draws, errors, and life in a DataLoader."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import PackDetInputs
from mmdet.models import DetDataPreprocessor
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import pseudo_collate

from mmmix.datasets import (
    MixImage,
    PackMixInputs,
)
from mmmix.models import CutMixBatch, MixBatch
from mmmix.models.supervisions import LossMix

from .images import (
    BETA,
    CONSTANT,
    KINDS,
    MEAN,
    STD,
    DropFirstBox,
    loaded,
    wrapped,
)


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

    mean = None if pad == 'black' else MEAN
    in_dataset = MixImage(**settings, mean=mean, bgr_to_rgb=True)
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


def test_outside_multi_image_mix_dataset():
    with pytest.raises(ValueError, match='MultiImageMixDataset'):
        MixImage(ratio=BETA, pad='black')(loaded(20, 20))


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(mix_weights=(0.5, 0.5)), ValueError, 'already mixed'),
        (dict(gt_seg_map=0), TypeError, 'gt_seg_map'),
        (dict(gt_keypoints=0), TypeError, 'gt_keypoints'),
        (dict(text='bus. car.'), ValueError, "phrases of 'text'"),
        (dict(gt_masks=0), KeyError, "has no 'gt_masks'"),
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


@pytest.mark.parametrize('side', [0, 1])
def test_boxes_to_ignore_are_not_lost_where_the_other_image_has_no_flags(side):
    pair = [loaded(20, 20, seed=0, ignore=1), loaded(20, 20, seed=1, ignore=1)]
    del pair[side]['gt_ignore_flags']
    with pytest.raises(KeyError, match=f"{side}.jpg has no 'gt_ignore_flags'"):
        MixImage(ratio=BETA, pad='black')({**pair[0], 'mix_results': [pair[1]]})


def test_mean_padding_needs_the_mean():
    with pytest.raises(ValueError, match='mean='):
        MixImage(ratio=BETA)
    MixImage(ratio=BETA, align='resize')


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(mean='123'), TypeError, 'MixImage.mean must be a list of numbers'),
        (dict(mean=[1.0, '2', 3.0]), TypeError, r'MixImage.mean\[1\] must be a number'),
        (dict(mean=[float('inf')]), ValueError, 'MixImage.mean must be finite'),
        (dict(mean=[]), ValueError, 'MixImage.mean is empty'),
        (dict(pad='black', mean=MEAN), ValueError, 'does not read mean; leave it out'),
    ],
)
def test_a_mean_that_is_no_colour_or_is_not_read_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        MixImage(ratio=BETA, **settings)


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
