"""A batch's anchors, and targets of those that were sampled before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import SamplingResult
from torch import Tensor

Targets = tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor], int]
"""Labels, label weights, offsets and their weights per level, and the normaliser."""


class Grid(NamedTuple):
    """The anchors of N images.

    Attributes:
        anchors: Per image and level, ``(A, 4)``.
        valid_flags: Per image and level, ``(A,)`` bool.
        metas: Metainfo of the images, without factors.
        sizes: (height, width) of each level in cells.
    """

    anchors: list[list[Tensor]]
    valid_flags: list[list[Tensor]]
    metas: list[dict[str, Any]]
    sizes: list[tuple[int, int]]


class DrawnAnchors:
    """Assigner and sampler in one, for samples that were drawn before.

    Args:
        samples: One per image, in the order in which they will be asked for.
    """

    def __init__(self, samples: Sequence[SamplingResult]) -> None:
        self._samples = iter(samples)

    def assign(self, *args: Any) -> AssignResult | None:
        """Nothing to assign."""
        return None

    def sample(self, *args: Any) -> SamplingResult:
        """The next image's sample."""
        return next(self._samples)
