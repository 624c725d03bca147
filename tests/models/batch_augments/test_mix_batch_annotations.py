"""MixBatch: boxes, masks and boxes to ignore travel with their component."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from mmmix.models import MixBatch
from mmmix.structures import Annotations, split_components

from .batches import CONSTANT, batch_of


@pytest.mark.parametrize('value', [0.2, 0.5, 0.9])
def test_keep_dominant_is_an_unmixed_sample_with_a_noisy_image(value):
    """Noise (LossMix suppl. B): the lighter component's boxes leave no trace."""
    inputs, samples = batch_of([(64, 64)] * 2)
    mixer = MixBatch(ratio=dict(type='Constant', value=value), keep='dominant')
    mixed, mixed_samples = mixer(inputs, samples)
    owner = 0 if value > 0.5 else 1
    for i, sample in enumerate(mixed_samples):
        own = samples[i if owner == 0 else 1 - i].gt_instances
        assert torch.equal(sample.gt_instances.bboxes, own.bboxes)
        assert 'mix_weights' not in sample.metainfo
        assert 'mix_ids' not in sample.gt_instances
        want = value * inputs[i] + (1 - value) * inputs[1 - i]
        torch.testing.assert_close(mixed[i], want, rtol=0, atol=1e-6)


def test_masks_travel_with_their_component():
    inputs, samples = batch_of([(20, 30), (40, 16)])
    for i, sample in enumerate(samples):
        masks = np.zeros((2, 40, 30), dtype=np.uint8)  # padded to the batch
        masks[:, 2 + i, 3] = 1
        sample.gt_instances.masks = BitmapMasks(masks, 40, 30)
    _, mixed = MixBatch(ratio=CONSTANT)(inputs, samples)
    masks = mixed[0].gt_instances.masks.masks
    assert masks.shape == (4, 40, 30)
    assert [tuple(m.nonzero()[0]) + tuple(m.nonzero()[1]) for m in masks] == [
        (12, 3),
        (12, 3),
        (3, 10),
        (3, 10),
    ]


def test_an_image_without_boxes_is_a_component_all_the_same():
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[1].gt_instances = samples[1].gt_instances[:0]
    mixed, mixed_samples = MixBatch(ratio=CONSTANT)(inputs, samples)
    torch.testing.assert_close(mixed[0], 0.3 * inputs[0] + 0.7 * inputs[1])
    for sample, component in zip(mixed_samples, (0, 1)):
        assert sample.gt_instances.mix_ids.tolist() == [component] * 2
        assert sample.mix_weights == (0.3, 0.7)


def test_boxes_partly_outside_are_clipped():
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[0].gt_instances.bboxes = torch.tensor([[-4.0, 3.0, 10.0, 40.0]] * 2)
    _, mixed = MixBatch(ratio=CONSTANT)(inputs, samples)
    assert mixed[0].gt_instances.bboxes[0].tolist() == [0.0, 3.0, 10.0, 32.0]


def test_boxes_moved_out_of_their_image_are_dropped():
    """Augmentation does that to valid boxes; of them nothing can be seen."""
    inputs, samples = batch_of([(32, 32), (48, 40)])
    own, moved = samples[0].gt_instances, [1.0, 1.0, 9.0, 9.0]
    own.bboxes = torch.tensor([[32.0, 3.0, 40.0, 9.0], moved])
    samples[1].ignored_instances = InstanceData(
        bboxes=torch.tensor([[3.0, -9.0, 9.0, 0.0]]), labels=torch.tensor([1])
    )
    before = copy.deepcopy(samples)
    for keep in ('all', 'dominant'):
        mixer = MixBatch(ratio=dict(type='Constant', value=0.7), keep=keep)
        _, mixed = mixer(inputs, samples)
        shifted = [value + shift for value, shift in zip(moved, (4, 8, 4, 8))]
        assert mixed[0].gt_instances.bboxes[0].tolist() == shifted
        assert len(mixed[0].gt_instances) == (3 if keep == 'all' else 1)
        assert [len(sample.ignored_instances) for sample in mixed] == [0, 0]
    assert mixed[0].gt_instances.labels.tolist() == own.labels[1:].tolist()
    for sample, old in zip(samples, before):  # what came in stays
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)
        assert len(sample.ignored_instances) == len(old.ignored_instances)


BOXES = dict(bboxes=[[2.0, 2.0, 8.0, 8.0]])
LABELLED = dict(BOXES, labels=[0])


@pytest.mark.parametrize(
    ('own', 'other', 'ids'),
    [
        (LABELLED, LABELLED, [0, 1]),
        (BOXES, BOXES, [0, 1]),
        (BOXES, LABELLED, [0, 1]),
        (LABELLED, None, [0]),
        (None, BOXES, [1]),
        (dict(bboxes=[], labels=[]), BOXES, [1]),
        (dict(), LABELLED, [1]),
        (dict(), None, []),
    ],
)
def test_boxes_to_ignore_in_any_form(own, other, ids):
    """With labels or without, and in one image of a pair only."""
    inputs, samples = batch_of([(32, 32)] * 2)
    for sample, fields in zip(samples, (own, other)):
        del sample.ignored_instances
        if fields is not None:
            sample.ignored_instances = InstanceData(
                **{
                    key: torch.tensor(value).view(-1, *[4] * (key == 'bboxes'))
                    for key, value in fields.items()
                }
            )
    mixed = MixBatch(ratio=CONSTANT)(inputs, samples)[1]
    ignored = mixed[0].ignored_instances
    assert ignored.mix_ids.tolist() == ids
    assert ignored.get('bboxes', torch.zeros(0, 4)).tolist() == BOXES['bboxes'] * len(
        ids
    )
    assert ignored.mix_ids.dtype == torch.int64
    split = split_components(
        Annotations(
            [sample.gt_instances for sample in mixed],
            [sample.metainfo for sample in mixed],
            [sample.ignored_instances for sample in mixed],
        )
    )
    for k, component in enumerate(split):
        assert len(component.ignored[0]) == ids.count(k)


def test_the_dominant_image_brings_its_boxes_to_ignore():
    """Those of the lighter image go with it, also where the heavier one has none."""
    inputs, samples = batch_of([(32, 32)] * 2)
    samples[0].ignored_instances = copy.deepcopy(samples[0].gt_instances)
    del samples[1].ignored_instances
    mixed = MixBatch(ratio=CONSTANT, keep='dominant')(inputs, samples)[1]
    assert 'ignored_instances' not in mixed[0]
    own = samples[0].gt_instances.bboxes
    assert torch.equal(mixed[1].ignored_instances.bboxes, own)


def test_masks_fill_the_frame_of_the_batch():
    """What a preprocessor padded stays padded, wherever the canvas ends."""
    inputs, samples = batch_of([(50, 70), (40, 60)], divisor=32)
    for i, sample in enumerate(samples):
        masks = np.zeros((2, 64, 96), dtype=np.uint8)
        masks[0, 4:36, 6 + i : 40] = 1
        sample.gt_instances.masks = BitmapMasks(masks, 64, 96)
    settings = dict(align='corner', fraction=0.5)
    mixer = MixBatch(ratio=dict(type='Constant', value=1.0), **settings)
    for i, sample in enumerate(mixer(inputs, samples)[1]):
        got = sample.gt_instances.masks
        assert (got.height, got.width) == got.masks.shape[1:] == (64, 96)
        assert np.array_equal(got.masks[:2], samples[i].gt_instances.masks.masks)
    other = batch_of([(80, 70), (40, 60)])
    for sample in other[1]:
        sample.gt_instances.masks = BitmapMasks(np.ones((2, 80, 70), bool), 80, 70)
    for i, sample in enumerate(mixer.mix_pair(inputs, samples, *other)[1]):
        got = sample.gt_instances.masks
        assert got.masks.shape[1:] == sample.batch_input_shape == (80, 96)
        want = samples[i].gt_instances.masks.masks
        assert np.array_equal(got.masks[:2, :64], want)
        assert not got.masks[:2, 64:].any()
