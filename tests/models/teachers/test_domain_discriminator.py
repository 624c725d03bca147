"""DomainDiscriminator: its loss, its gradients, its fresh starts."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmmix.models import DomainDiscriminator
from mmmix.models.teachers.feature_tap import FeatureTap


def build(seed=0, **settings):
    discriminator = DomainDiscriminator(**dict(in_channels=3, channels=(8,)) | settings)
    discriminator.reset(seed)
    return discriminator


def maps(seed=1):
    generator = torch.Generator().manual_seed(seed)
    source = torch.randn(2, 3, 5, 6, generator=generator)
    target = torch.randn(4, 3, 3, 4, generator=generator)
    return source.requires_grad_(), target.requires_grad_()


def plain_loss(discriminator, source, target):
    """Both cross-entropies written out, without a reversal."""
    found = []
    for features, sign in ((source, 1.0), (target, -1.0)):
        first, last = discriminator.convs
        logits = last(nn.functional.leaky_relu(first(features), 0.2))
        found.append(torch.log1p(torch.exp(sign * logits)).mean())
    return found


def gradients(losses, tensors):
    return torch.autograd.grad(sum(losses), tensors, retain_graph=True)


def test_loss():
    discriminator, (source, target) = build(), maps()
    losses = discriminator.loss(source, target)
    expected = plain_loss(discriminator, source, target)
    assert list(losses) == ['loss_source', 'loss_target', 'acc']
    for name, value in zip(losses, expected):
        torch.testing.assert_close(losses[name], value)


@pytest.mark.parametrize('reversal', [1.0, 0.3, 0.0])
def test_features_get_the_reversed_gradient(reversal):
    """Identity 30: -λ times the plain gradient, and +λ for the discriminator."""
    discriminator, inputs = build(), maps()
    losses = discriminator.loss(*inputs, reversal=reversal)
    weighted = [0.1 * losses['loss_source'], 0.1 * losses['loss_target']]
    plain = plain_loss(discriminator, *inputs)
    for found, expected in zip(gradients(weighted, inputs), gradients(plain, inputs)):
        assert expected.abs().max() > 1e-4
        torch.testing.assert_close(
            found, -0.1 * reversal * expected, rtol=1e-5, atol=1e-9
        )
    own = list(discriminator.parameters())
    for found, expected in zip(gradients(weighted, own), gradients(plain, own)):
        torch.testing.assert_close(found, 0.1 * expected, rtol=1e-5, atol=1e-8)


def test_accuracy_is_the_mean_of_both_domains():
    discriminator = DomainDiscriminator(in_channels=1, channels=())
    with torch.no_grad():
        (conv,) = discriminator.convs
        conv.weight.zero_()
        conv.bias.zero_()
        conv.weight[0, 0, 1, 1] = 1.0
    source = torch.tensor([-1.0, -2.0, 3.0, 4.0]).view(1, 1, 2, 2)
    target = torch.ones(3, 1, 1, 1)
    losses = discriminator.loss(source, target)
    assert losses['acc'].item() == pytest.approx(75.0)
    right = math.log1p(math.exp(-1.0))
    assert losses['loss_target'].item() == pytest.approx(right)


def test_adaptive_teachers_layers_by_default():
    shapes = [tuple(c.weight.shape) for c in DomainDiscriminator(1024).convs]
    assert shapes == [
        (256, 1024, 3, 3),
        (128, 256, 3, 3),
        (128, 128, 3, 3),
        (1, 128, 3, 3),
    ]
    assert DomainDiscriminator(1024).feature == 'backbone.0'


def test_it_computes_in_float32_in_mixed_precision():
    discriminator, (source, target) = build(), maps()
    expected = discriminator.loss(source.bfloat16(), target.bfloat16())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = discriminator.loss(source.bfloat16(), target.bfloat16())
    for name, value in found.items():
        assert value.dtype == torch.float32
        assert torch.equal(value, expected[name])


def test_a_fresh_start_follows_from_its_seed():
    one, other = build(seed=5), build(seed=6)
    state = torch.random.get_rng_state()
    weights = [p.clone() for p in one.parameters()]
    assert not torch.equal(weights[0], other.convs[0].weight)
    other.reset(5)
    assert all(torch.equal(a, b) for a, b in zip(weights, other.parameters()))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(p.requires_grad and p.is_leaf for p in other.parameters())


def test_a_fresh_start_draws_as_torch_does():
    discriminator = DomainDiscriminator(in_channels=64, channels=(64,))
    discriminator.reset(0)
    stock = nn.Conv2d(64, 64, 3)
    for drawn, usual in zip(discriminator.convs[0].parameters(), stock.parameters()):
        bound = 1 / math.sqrt(64 * 9)
        assert bound * 0.9 < drawn.abs().max() <= bound
        assert usual.abs().max() <= bound
        assert drawn.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2)


def test_the_idle_loss_is_zero_and_reaches_every_weight():
    discriminator = build()
    loss = discriminator.idle_loss()
    loss.backward()
    assert loss.item() == 0
    assert all(not p.grad.any() for p in discriminator.parameters())


def test_wrong_channels():
    with pytest.raises(ValueError, match="in_channels=3.*'backbone.0' has 5 channels"):
        build()(torch.zeros(1, 5, 2, 2))
    for channels in (dict(in_channels=0), dict(channels=(8, 0))):
        with pytest.raises(ValueError, match='must be positive'):
            build(**channels)


# --- where the features come from -------------------------------------------


class Detector(nn.Module):
    """Two convolutions; counts how often each is computed."""

    def __init__(self):
        super().__init__()
        self.backbone, self.neck = nn.Module(), nn.Module()
        self.backbone.forward = lambda x: self._part('backbone', (x + 1, x + 2))
        self.neck.forward = lambda maps: self._part('neck', [maps[1] * 10])
        self.calls = []

    def _part(self, name, outputs):
        self.calls.append(name)
        return outputs

    def extract_feat(self, x):
        return self.neck(self.backbone(x))


@pytest.mark.parametrize(
    ('name', 'value', 'calls'),
    [
        ('backbone.0', 1.0, ['backbone']),
        ('backbone.1', 2.0, ['backbone']),
        ('neck.0', 20.0, ['backbone', 'neck']),
    ],
)
def test_named_features(name, value, calls):
    detector = Detector()
    tap = FeatureTap(detector, name)
    image = torch.zeros(1, 1, 2, 2)
    assert tap.compute(detector, image).unique().tolist() == [value]
    assert detector.calls == calls
    with tap.recording(detector) as found:
        detector.extract_feat(image)
        detector.extract_feat(image + 1)
    detector.extract_feat(image)
    assert len(found) == 2
    assert torch.equal(found[0], torch.full_like(image, value))


@pytest.mark.parametrize('name', ['backbone', 'head.0', 'neck.-1', 'neck.x', 3])
def test_names_it_refuses(name):
    with pytest.raises(ValueError, match="'backbone.<i>' or 'neck.<i>'"):
        FeatureTap(Detector(), name)


def test_features_that_are_not_there():
    with pytest.raises(ValueError, match="'neck.0'.*SimpleNamespace has no neck"):
        FeatureTap(SimpleNamespace(neck=None), 'neck.0')
    detector = Detector()
    with pytest.raises(ValueError, match="'neck.1'.*the neck has 1 outputs"):
        FeatureTap(detector, 'neck.1').compute(detector, torch.zeros(1, 1, 2, 2))
