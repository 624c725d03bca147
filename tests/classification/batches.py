"""Small random batches of labelled images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample


def images(count: int, side: int = 8, seed: int = 0) -> torch.Tensor:
    """``(count, 3, side, side)``, normally distributed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, side, side, generator=generator)


def labelled(labels: Sequence[int], num_classes: int = 5) -> list[DataSample]:
    """Samples as they come from the loader."""
    return [
        DataSample(metainfo=dict(num_classes=num_classes)).set_gt_label(label)
        for label in labels
    ]


def scored(scores: torch.Tensor) -> list[DataSample]:
    """Samples as mmpretrain's batch augmentations leave them."""
    return [DataSample().set_gt_score(score) for score in scores]
