"""Batches to mix, and what a mixer may and must have done to them."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.logging import MessageHub

from tests.helpers import annotations, samples_of

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONSTANT = dict(type='Constant', value=0.3)


def batch_of(shapes, seed=0, divisor=1):
    """A padded batch of random images of these (height, width) and its samples."""
    samples = [
        samples_of(annotations((2,), seed + i, min(shape)))[0]
        for i, shape in enumerate(shapes)
    ]
    height, width = (-(-max(side) // divisor) * divisor for side in zip(*shapes))
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.zeros(len(shapes), 3, height, width)
    for i, ((h, w), sample) in enumerate(zip(shapes, samples)):
        inputs[i, :, :h, :w] = torch.randn((3, h, w), generator=generator)
        padded = tuple(-(-side // divisor) * divisor for side in (h, w))
        sample.set_metainfo(
            dict(img_shape=(h, w), pad_shape=padded, batch_input_shape=(height, width))
        )
    return inputs, samples


def at_iteration(iteration, seed=0):
    """Set the counters as a Runner does."""
    hub = MessageHub.get_current_instance()
    hub.update_info('iter', iteration)
    hub.update_info('seed', seed)


def assert_only_stamped(got, sample, supervision):
    """A sample is what it was, and says how its batch is supervised."""
    assert got.metainfo == {**sample.metainfo, 'mix_supervision': supervision}
    assert set(got.keys()) == set(sample.keys())
    for key in got.keys():  # noqa: SIM118  a sample is no dict
        assert got.get(key) is sample.get(key)
    assert 'mix_supervision' not in sample.metainfo


def naive_mix(inputs, samples, i, j, lam):
    """Centre-aligned blend of two images, pixel by pixel of the definition."""
    sizes = [samples[k].img_shape for k in (i, j)]
    canvas = tuple(max(side) for side in zip(*sizes))
    result = np.zeros((3, *canvas))
    offsets = []
    for k, weight, size in ((i, lam, sizes[0]), (j, 1 - lam, sizes[1])):
        y, x = ((c - s) // 2 for c, s in zip(canvas, size))
        image = inputs[k, :, : size[0], : size[1]].numpy()
        result[:, y : y + size[0], x : x + size[1]] += weight * image
        offsets.append((y, x))
    return result, offsets
