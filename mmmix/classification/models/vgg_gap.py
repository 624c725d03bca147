"""VGG-16 for localisation."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmpretrain.models.backbones import VGG
from mmpretrain.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class VGGGAP(VGG):
    """VGG whose fully connected layers a convolution and pooling take the place of.

    "Learning Deep Features for Discriminative Localization" (CVPR 2016), as the CutMix
    supplement, sec. B, uses it: without the last pooling, 14 × 14 cells of 224 px, and
    with a 3 × 3 convolution of 1,024 channels; :class:`CAMHead` averages these. The
    other layers have VGG's names.

    Args:
        depth: As ``VGG``, 16 in the papers.
        gap_channels: Channels of the added convolution.
        **settings: Further arguments of ``VGG``.
    """

    def __init__(
        self, depth: int = 16, gap_channels: int = 1024, **settings: Any
    ) -> None:
        super().__init__(depth, with_last_pool=False, **settings)
        self.conv6 = nn.Conv2d(512, gap_channels, 3, padding=1)

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """``(N, gap_channels, H / 16, W / 16)`` from ``(N, 3, H, W)``."""
        return (F.relu(self.conv6(super().forward(inputs)[-1])),)
