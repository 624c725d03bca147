"""MixBatch: pixels, annotations, draws and what it refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor

from mmmix.models import MixBatch

from .batches import (
    CONSTANT,
    MEAN,
    STD,
    batch_of,
    naive_mix,
)


@pytest.mark.parametrize(
    'shapes',
    [[(64, 64)] * 3, [(50, 80), (64, 40), (33, 57)]],
    ids=['one size', 'three sizes'],
)
def test_pixels_and_boxes_follow_the_definition(shapes):
    inputs, samples = batch_of(shapes, divisor=32)
    before = copy.deepcopy(samples), inputs.clone()
    mixer = MixBatch(ratio=dict(type='Beta', alpha=1.0), pairing='roll')
    mixed, mixed_samples = mixer(inputs, samples)
    assert mixed.shape == inputs.shape
    for i, sample in enumerate(mixed_samples):
        j = (i + 1) % 3
        lam = sample.mix_weights[0]
        assert sample.mix_weights == (lam, 1 - lam)
        want, offsets = naive_mix(inputs, samples, i, j, lam)
        height, width = want.shape[1:]
        np.testing.assert_allclose(mixed[i, :, :height, :width], want, atol=1e-6)
        # Identity 7: the metainfo describes the canvas.
        assert sample.img_shape == (height, width)
        assert all(side % 32 == 0 for side in sample.pad_shape)
        assert sample.pad_shape == tuple(-(-side // 32) * 32 for side in want.shape[1:])
        boxes = [
            samples[k].gt_instances.bboxes + torch.tensor([x, y, x, y])
            for k, (y, x) in zip((i, j), offsets)
        ]
        assert torch.equal(sample.gt_instances.bboxes, torch.cat(boxes))
        assert sample.gt_instances.mix_ids.tolist() == [0, 0, 1, 1]
        labels = [samples[k].gt_instances.labels for k in (i, j)]
        assert torch.equal(sample.gt_instances.labels, torch.cat(labels))
        assert len(sample.ignored_instances.mix_ids) == 0
    lams = {sample.mix_weights[0] for sample in mixed_samples}
    assert len(lams) == 3
    # What came in is not changed.
    assert torch.equal(inputs, before[1])
    for sample, old in zip(samples, before[0]):
        assert 'mix_weights' not in sample.metainfo
        assert torch.equal(sample.gt_instances.bboxes, old.gt_instances.bboxes)


def test_batch_padding_beyond_the_canvas_stays():
    inputs, samples = batch_of([(20, 20), (24, 22), (64, 64)])
    inputs[:2, :, 30:] = -5.0  # a preprocessor with its own pad value
    mixer = MixBatch(ratio=CONSTANT, pairing='reverse')
    inputs2, samples2 = inputs[:2], samples[:2]
    mixed, _ = mixer(inputs2, samples2)
    assert (mixed[:, :, 30:] == -5.0).all()


def test_black_padding_is_black_after_normalisation():
    """λ a + (1 - λ) black where only image a covers, in pixels of [0, 255]."""
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    inputs, samples = batch_of([(40, 20), (20, 20)])
    mixer = MixBatch(ratio=CONSTANT, pad='black', mean=MEAN, std=STD)
    mixed, _ = mixer(inputs, samples)
    raw = mixed[0] * std + mean
    own = inputs[0] * std + mean
    torch.testing.assert_close(raw[:, :10, :20], 0.3 * own[:, :10, :20])
    with pytest.raises(ValueError, match='mean='):
        MixBatch(ratio=CONSTANT, pad='black')


def test_mix_pair_of_two_canvases():
    inputs_a, samples_a = batch_of([(40, 30), (20, 50)], divisor=10)
    inputs_b, samples_b = batch_of([(60, 20), (30, 30)], seed=5, divisor=10)
    mixer = MixBatch(ratio=dict(type='Beta', alpha=1.0))
    mixed, samples = mixer.mix_pair(inputs_a, samples_a, inputs_b, samples_b)
    assert mixed.shape == (2, 3, 60, 50)
    height, width = mixed.shape[2:]
    both = torch.zeros(4, 3, height, width)
    both[:2, :, :40, :50], both[2:, :, :60, :30] = inputs_a, inputs_b
    for i, sample in enumerate(samples):
        assert sample.batch_input_shape == (60, 50)
        want, _ = naive_mix(
            both, [*samples_a, *samples_b], i, i + 2, sample.mix_weights[0]
        )
        got = mixed[i, :, : want.shape[1], : want.shape[2]]
        np.testing.assert_allclose(got, want, atol=1e-6)
    with pytest.raises(ValueError, match='one length, got 2 and 1'):
        mixer.mix_pair(inputs_a, samples_a, inputs_b[:1], samples_b[:1])


@pytest.mark.parametrize('channels', [1, 2, 4])
def test_images_of_any_number_of_channels(channels):
    inputs, samples = batch_of([(20, 30), (40, 16)])
    inputs = torch.randn(2, channels, 40, 30)
    black = dict(pad='black', mean=[2.0], std=[4.0])
    mixed = MixBatch(ratio=CONSTANT, **black)(inputs, samples)[0]
    want = 0.3 * inputs[0, :, 5, 2] + 0.7 * -0.5  # the partner does not cover it
    torch.testing.assert_close(mixed[0, :, 15, 2], want)
    wrong = dict(pad='black', mean=[2.0] * 3, std=[4.0] * 3)
    with pytest.raises(ValueError, match=f'has 3 channels and the image {channels}'):
        MixBatch(ratio=CONSTANT, **wrong)(inputs, samples)


def test_two_batches_are_padded_as_the_preprocessor_pads():
    inputs_a, samples_a = batch_of([(20, 20), (24, 22)])
    inputs_b, samples_b = batch_of([(30, 40), (18, 20)], seed=5)
    mixer = MixBatch(ratio=CONSTANT, align='corner', fraction=0.5)
    mixed, samples = mixer.mix_pair(
        inputs_a, samples_a, inputs_b, samples_b, pad_value=7.0
    )
    for image, own, sample in zip(mixed, inputs_a, samples):
        height, width = sample.img_shape
        outside = torch.ones(30, 40, dtype=torch.bool)
        outside[:24, :22] = False  # the frame of batch a
        outside[:height, :width] = False
        assert (image[:, outside] == 7.0).all()
        if 'mix_weights' not in sample:
            assert torch.equal(image[:, :24, :22], own)


def test_inside_the_data_preprocessor():
    """The place it is made for: after stacking and normalising, in training only."""
    inputs, samples = batch_of([(30, 40)] * 2)
    preprocessor = DetDataPreprocessor(
        mean=MEAN,
        std=STD,
        bgr_to_rgb=True,
        batch_augments=[dict(type='MixBatch', ratio=CONSTANT)],
    )
    raw = [(image * 50 + 100).clamp(0, 255).byte() for image in inputs]
    data = dict(inputs=raw, data_samples=samples)
    plain = preprocessor(copy.deepcopy(data), training=False)
    mixed = preprocessor(copy.deepcopy(data), training=True)
    want = 0.3 * plain['inputs'] + 0.7 * plain['inputs'].flip(0)
    torch.testing.assert_close(mixed['inputs'], want, rtol=0, atol=1e-5)
    assert mixed['data_samples'][0].mix_weights == (0.3, 0.7)
    assert 'mix_weights' not in plain['data_samples'][0].metainfo
