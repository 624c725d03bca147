"""PreAct ResNet, PyramidNet and VGG-GAP against their layers written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.models.backbones import VGG

from mmmix.classification.models import VGGGAP, PreActResNet, PyramidNet

from .batches import images


def count(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def norm(x, state, name):
    return F.batch_norm(
        x,
        *(state[f'{name}.{part}'] for part in ('running_mean', 'running_var')),
        *(state[f'{name}.{part}'] for part in ('weight', 'bias')),
    )


def shaken(model):
    """A model whose norms are not the identity, in evaluation, and its state."""
    generator = torch.Generator().manual_seed(0)
    for value in model.state_dict().values():
        if value.dtype == torch.float32 and value.dim() == 1:
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    model.eval()  # gives None for backbones of mmpretrain
    return model, model.state_dict()


def slow_preact(x, state, strides):
    x = F.conv2d(x, state['conv1.weight'], padding=1)
    for stage, first in enumerate(strides, 1):
        for block in range(2):
            name, stride = f'layer{stage}.{block}', 1 if block else first
            active = norm(x, state, f'{name}.bn1').relu()
            inner = F.conv2d(active, state[f'{name}.conv1.weight'], None, stride, 1)
            inner = norm(inner, state, f'{name}.bn2').relu()
            inner = F.conv2d(inner, state[f'{name}.conv2.weight'], padding=1)
            if f'{name}.shortcut.weight' in state:
                x = F.conv2d(active, state[f'{name}.shortcut.weight'], None, stride)
            x = x + inner
    return x


@pytest.mark.parametrize('strides', [(1, 2, 2, 2), (2, 2, 2, 1)])
def test_preact_resnet_18(strides):
    torch.manual_seed(0)
    model, state = shaken(PreActResNet(18, base_channels=4, strides=strides))
    (maps,) = model(images(2, 16))
    torch.testing.assert_close(maps, slow_preact(images(2, 16), state, strides))


def test_preact_resnet_18_has_the_size_that_is_known_of_it():
    # 11,171,146 with its linear layer of 512 × 10 + 10, as in the code of the papers.
    model = PreActResNet()
    assert count(model) + 5130 == 11_171_146
    assert model(images(1, 32))[0].shape == (1, 512, 4, 4)
    with pytest.raises(KeyError, match='depth'):
        PreActResNet(50)
    with pytest.raises(ValueError, match='four'):
        PreActResNet(strides=(1, 2))


def slow_pyramid(x, state, depth, alpha):
    blocks = (depth - 2) // 3
    x = norm(F.conv2d(x, state['conv1.weight'], padding=1), state, 'bn1')
    for block in range(blocks):
        stride = 2 if block in (blocks // 3, 2 * blocks // 3) else 1
        name = f'blocks.{block}.body'
        inner = F.conv2d(norm(x, state, f'{name}.0'), state[f'{name}.1.weight'])
        inner = norm(inner, state, f'{name}.2').relu()
        inner = F.conv2d(inner, state[f'{name}.4.weight'], None, stride, 1)
        inner = norm(inner, state, f'{name}.5').relu()
        inner = norm(F.conv2d(inner, state[f'{name}.7.weight']), state, f'{name}.8')
        assert inner.shape[1] == 4 * round(16 + alpha * (block + 1) / blocks)
        x = F.avg_pool2d(x, 2) if stride == 2 else x
        inner[:, : x.shape[1]] += x
        x = inner
    return norm(x, state, 'bn_final').relu()


def test_pyramidnet():
    torch.manual_seed(0)
    model, state = shaken(PyramidNet(depth=29, alpha=18))
    with torch.no_grad():
        (maps,) = model(images(2, 8))
        expected = slow_pyramid(images(2, 8), state, 29, 18)
    torch.testing.assert_close(maps, expected)


def test_pyramidnet_200_has_the_size_that_the_papers_give():
    model = PyramidNet()
    assert model.out_channels == 1024
    assert round((count(model) + 1024 * 100 + 100) / 1e6, 1) == 26.8
    with pytest.raises(ValueError, match='9 n'):
        PyramidNet(depth=100)


def test_vgg_gap_is_vgg_without_its_last_pooling_and_one_more_convolution():
    torch.manual_seed(0)
    model = VGGGAP(11, gap_channels=8)
    stock = VGG(11, with_last_pool=False)
    missing, unexpected = model.load_state_dict(stock.state_dict(), strict=False)
    assert not unexpected
    assert missing == ['conv6.weight', 'conv6.bias']
    x = images(1, 64)
    (maps,) = model(x)
    assert maps.shape == (1, 8, 4, 4)
    expected = F.conv2d(stock(x)[-1], model.conv6.weight, model.conv6.bias, padding=1)
    torch.testing.assert_close(maps, expected.relu())
