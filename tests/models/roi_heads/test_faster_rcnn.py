"""A small Faster R-CNN with mix-aware heads against mmdet's own."""

from __future__ import annotations

import pytest
import torch
from mmdet.structures import DetDataSample

from tests.helpers import annotations, mixed, samples_of

from .faster_rcnn import SIZE, build, loss_of


@pytest.fixture(scope='module')
def sides():
    return [annotations(n, seed=n[0], size=SIZE) for n in ((3, 1), (2, 4))]


@pytest.fixture(scope='module')
def inputs():
    return torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('kind', ['Union', 'WeightedUnion', 'LossMix', 'BoxMix'])
def test_without_mixing_it_is_stock(inputs, sides, kind):
    """Keys and losses are the same; all RoIs are sampled."""
    stock, mix = build(), build(dict(type=kind))
    assert list(stock.state_dict()) == list(mix.state_dict())
    stock.load_state_dict(mix.state_dict(), strict=True)
    mix.load_state_dict(stock.state_dict(), strict=True)
    got, want = (loss_of(model, inputs, sides[0]) for model in (mix, stock))
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('lam', [0.3, 1.0])
def test_lossmix_is_the_weighted_sum_of_the_detectors_losses(inputs, sides, lam):
    """Identity 17 for all four terms, with one pass through the backbone."""
    stock, mix = build(), build(dict(type='LossMix'))
    calls = []
    mix.backbone.register_forward_hook(lambda *args: calls.append(1))
    got = loss_of(mix, inputs, mixed(*sides, [lam] * 2))
    parts = [loss_of(stock, inputs, side) for side in sides]
    assert len(calls) == 1
    assert got.keys() == parts[0].keys()
    for name in got:
        want = lam * parts[0][name] + (1 - lam) * parts[1][name]
        torch.testing.assert_close(got[name], want, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('lam', [0.0, 1.0])
def test_boxmix_has_the_detectors_limits(inputs, sides, lam):
    """Identity 10 for all four terms."""
    stock, mix = build(), build(dict(type='BoxMix'))
    want = loss_of(stock, inputs, sides[int(1 - lam)])
    got = loss_of(mix, inputs, mixed(*sides, [lam] * 2))
    assert got.keys() == want.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('kind', ['WeightedUnion', 'LossMix', 'BoxMix'])
def test_it_trains_on_a_batch_mixed_by_the_preprocessor(sides, kind):
    """Images of unequal size, aligned at the centre; every layer of a head learns."""
    mixer = dict(type='MixBatch', ratio=dict(type='Uniform', low=0.2, high=0.8))
    model = build(dict(type=kind), num=64, mixer=mixer)
    samples = samples_of(sides[0])
    generator = torch.Generator().manual_seed(2)
    images = []
    for i, (sample, size) in enumerate(zip(samples, ((64, 64), (96, 64)))):
        shape = dict(img_shape=size, ori_shape=size, img_id=i)
        sample.set_metainfo(shape)
        noise = torch.randint(256, (3, *size), generator=generator)
        images.append(noise.to(torch.uint8))
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples), True)
    assert all(isinstance(sample, DetDataSample) for sample in data['data_samples'])
    assert all('mix_weights' in s.metainfo for s in data['data_samples'])
    losses = model(**data, mode='loss')
    total, logged = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    assert {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'} < logged.keys()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all(), name
        if name.endswith('.weight') and 'head' in name:
            assert (parameter.grad != 0).any(), name
