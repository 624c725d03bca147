"""PyramidNet, on which the CutMix paper measures CIFAR-100 and uncertainty."""

from __future__ import annotations

import torch.nn.functional as F
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

EXPANSION = 4


class PyramidBottleneck(nn.Module):
    """A bottleneck that ends with a norm and has no ReLU at its beginning.

    Args:
        in_channels: Channels of the input.
        channels: Channels inside; the output has four times as many. The shortcut fills
            the new ones with zeros, and is pooled where the stride is 2.
        stride: Of the 3 × 3 convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        out_channels = EXPANSION * channels
        self.body = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.stride = stride
        self.grown = out_channels - in_channels

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, 4 channels, H / stride, W / stride)``."""
        kept = inputs
        if self.stride > 1:
            kept = F.avg_pool2d(kept, self.stride, ceil_mode=True)
        return self.body(inputs) + F.pad(kept, (0, 0, 0, 0, 0, self.grown))


@MODELS.register_module()
class PyramidNet(BaseBackbone):
    """PyramidNet with bottlenecks for CIFAR: channels grow by a little in each block.

    "Deep Pyramidal Residual Networks" (CVPR 2017), additive. CutMix's is depth 200 with
    α = 240: 26.8 million parameters with the layer of 100 classes.

    Args:
        depth: 9 n + 2.
        alpha: Channels (inside a bottleneck) that all blocks add together.
        init_cfg: How parameters start; by default as He et al. have it.

    Raises:
        ValueError: If the depth is no such number.

    Attributes:
        out_channels: Channels of the last maps.
    """

    def __init__(
        self, depth: int = 200, alpha: int = 240, init_cfg: dict | list | None = None
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer='BatchNorm2d'),
            ]
        super().__init__(init_cfg)
        count, rest = divmod(depth - 2, 9)
        if rest or count < 1:
            raise ValueError(f'depth must be 9 n + 2 with n of at least 1, got {depth}')
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels, blocks = 16, []
        for block in range(3 * count):
            width = round(16 + alpha * (block + 1) / (3 * count))
            stride = 2 if block and block % count == 0 else 1
            blocks.append(PyramidBottleneck(channels, width, stride))
            channels = EXPANSION * width
        self.blocks = nn.Sequential(*blocks)
        self.bn_final = nn.BatchNorm2d(channels)
        self.out_channels = channels

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """The maps of the last block, from ``(N, 3, H, W)``."""
        maps = self.blocks(self.bn1(self.conv1(inputs)))
        return (F.relu(self.bn_final(maps)),)
