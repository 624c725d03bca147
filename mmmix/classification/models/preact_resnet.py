"""ResNets with normalisation before convolution, for small images."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


class PreActBlock(nn.Module):
    """Norm, ReLU and convolution, twice, beside a shortcut.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Of the first convolution. Where the shape changes, the shortcut is a
            1 × 1 convolution of the activated input.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C', H / stride, W / stride)``."""
        active = F.relu(self.bn1(inputs))
        kept = inputs if self.shortcut is None else self.shortcut(active)
        return kept + self.conv2(F.relu(self.bn2(self.conv1(active))))


@MODELS.register_module()
class PreActResNet(BaseBackbone):
    """Pre-activation ResNet of the mixup papers' code for CIFAR and TinyImageNet.

    "Identity Mappings in Deep Residual Networks" (ECCV 2016), with a 3 × 3 convolution
    as its stem, no pooling and, as in that code, no norm after the last stage. The
    "R-18" of the AlignMixup poster is depth 18.

    Args:
        depth: 18 or 34.
        base_channels: Channels of the first stage; each later one doubles them.
        strides: Of the stages; (1, 2, 2, 2) gives 4 × 4 cells on CIFAR, (2, 2, 2, 2) on
            TinyImageNet's 64 px.
        stem_stride: Stride of the stem.
        init_cfg: How parameters start; by default as He et al. have it.

    Raises:
        KeyError: If the depth is unknown.
        ValueError: If there are not four strides.
    """

    def __init__(
        self,
        depth: int = 18,
        base_channels: int = 64,
        strides: Sequence[int] = (1, 2, 2, 2),
        stem_stride: int = 1,
        init_cfg: dict | list | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer='BatchNorm2d'),
            ]
        super().__init__(init_cfg)
        if depth not in BLOCKS:
            raise KeyError(f'depth must be one of {list(BLOCKS)}, got {depth}')
        if len(strides) != 4:
            raise ValueError(f'strides must be four, one a stage, got {strides}')
        self.conv1 = nn.Conv2d(3, base_channels, 3, stem_stride, 1, bias=False)
        channels = base_channels
        for stage, (count, stride) in enumerate(zip(BLOCKS[depth], strides)):
            width, blocks = base_channels * 2**stage, []
            for index in range(count):
                blocks.append(PreActBlock(channels, width, 1 if index else stride))
                channels = width
            self.add_module(f'layer{stage + 1}', nn.Sequential(*blocks))

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """The maps of the last stage, from ``(N, 3, H, W)``."""
        maps = self.conv1(inputs)
        for stage in range(1, 5):
            maps = getattr(self, f'layer{stage}')(maps)
        return (maps,)
