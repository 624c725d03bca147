"""CutMixImage: agreement with CutMixBatch, packing, draws."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmengine.dataset import pseudo_collate

from mmmix.datasets import CutMixImage, MixImage, PackMixInputs
from mmmix.mixing.draws import draw_centres
from mmmix.models.batch_augments import cutmix_batch

from .images import CONSTANT, MEAN, STD, DropFirstBox, loaded, wrapped

CENTRE = (0.3, 0.6)


@pytest.mark.parametrize(
    ('align', 'pad', 'sizes'),
    [
        ('resize', 'mean', [(24, 24), (24, 24)]),
        ('center', 'mean', [(25, 16), (14, 31)]),
        ('corner', 'black', [(25, 16), (14, 31)]),
    ],
)
@pytest.mark.parametrize(
    ('keep', 'supervision'),
    [('all', 'LossMix'), ('all', 'Visible'), ('all', 'Union'), ('dominant', 'Union')],
)
def test_agrees_with_cutmix_batch(align, pad, sizes, keep, supervision, monkeypatch):
    """The same pair, λ and middle, cut before or after normalisation."""
    pair = [loaded(*size, seed=i, boxes=4, ignore=i) for i, size in enumerate(sizes)]
    settings = dict(ratio=CONSTANT, align=align, pad=pad, keep=keep)
    settings['supervision'] = dict(type=supervision)
    preprocess = dict(mean=MEAN, std=STD, bgr_to_rgb=True, pad_size_divisor=32)

    mean = None if pad == 'black' else MEAN
    in_dataset = CutMixImage(**settings, mean=mean, bgr_to_rgb=True)
    mixed = in_dataset.mix(*copy.deepcopy(pair), lam=0.3, centre=CENTRE)
    packed = PackMixInputs()(mixed)
    got = DetDataPreprocessor(**preprocess)(pseudo_collate([packed]), training=True)

    monkeypatch.setattr(
        cutmix_batch, 'draw_centres', lambda rng, size: np.array([CENTRE] * size)
    )
    mixer = dict(type='CutMixBatch', **settings)
    if pad == 'black':
        mixer.update(mean=MEAN, std=STD)
    both = [PackMixInputs()(item) for item in copy.deepcopy(pair)]
    want = DetDataPreprocessor(**preprocess, batch_augments=[mixer])(
        pseudo_collate(both), training=True
    )
    sample, expected = got['data_samples'][0], want['data_samples'][0]
    height, width = expected.img_shape
    torch.testing.assert_close(
        got['inputs'][0, :, :height, :width],
        want['inputs'][0, :, :height, :width],
        rtol=0,
        atol=1e-5,
    )
    for key in ('img_shape', 'pad_shape', 'mix_weights', 'mix_supervision'):
        assert sample.metainfo.get(key) == expected.metainfo.get(key)
    for field in ('gt_instances', 'ignored_instances'):
        one, other = getattr(sample, field), getattr(expected, field)
        assert set(one.keys()) == set(other.keys())
        for key in one.keys():  # noqa: SIM118  an InstanceData is no dict
            torch.testing.assert_close(one[key], other[key])
    shares = 'mix_visibility' in sample.gt_instances
    assert shares == (supervision != 'LossMix' and keep == 'all')


def read_all(mixer, items):
    """Read every image of a data set that is mixed."""
    dataset = wrapped(items, mixer, PackMixInputs())
    return [dataset[index] for index in range(len(items))]


def test_draws_are_those_of_a_blend_and_then_a_middle(monkeypatch):
    """Partner and λ are drawn as before; the middles differ between images."""
    items = [loaded(20, 20, seed=i) for i in range(6)]
    seen = []
    for kind in (MixImage, CutMixImage):

        def spy(self, results, other, lam, *centre, original=kind.mix):
            seen.append((results['img_id'], other['img_id'], lam, centre))
            return original(self, results, other, lam, *centre)

        with monkeypatch.context() as patch:
            patch.setattr(kind, 'mix', spy)
            read_all(kind(ratio=dict(type='Uniform'), pad='black'), items)
    half = len(seen) // 2
    assert [row[:3] for row in seen[:half]] == [row[:3] for row in seen[half:]]
    assert {row[3] for row in seen[:half]} == {()}
    middles = [row[3][0] for row in seen[half:]]
    assert len(set(middles)) == len(middles) >= 4
    assert all(0 <= side < 1 for middle in middles for side in middle)


def test_middles_are_uniform():
    middles = draw_centres(np.random.default_rng(0), 20_000)
    assert middles.shape == (20_000, 2)
    np.testing.assert_allclose(middles.mean(0), 0.5, atol=0.01)
    np.testing.assert_allclose(middles.var(0), 1 / 12, atol=0.002)
    assert abs(np.corrcoef(middles.T)[0, 1]) < 0.02


def test_a_box_dropping_transform_after_cutting_is_an_error():
    items = [loaded(20, 20, seed=i) for i in range(3)]
    settings = dict(pad='black', min_visibility=0.0)
    mixer = CutMixImage(ratio=dict(type='Constant', value=0.9), **settings)
    dataset = wrapped(items, mixer, DropFirstBox(), PackMixInputs())
    with pytest.raises(ValueError, match='move it before MixImage'):
        [dataset[index] for index in range(3)]
