"""Labels of anchors as maps, which a plan can carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmmix.functional.boxes import Size

from .transport import Transport


class Levels(NamedTuple):
    """How a head's anchors are laid out: level by level, row by row, cell by cell.

    Attributes:
        sizes: (height, width) of each level in cells.
        priors: Anchors per cell of each level.
    """

    sizes: list[Size]
    priors: list[int]

    @classmethod
    def of(cls, sizes: Sequence[Sequence[int]], prior_generator: Any) -> Levels:
        """The layout of a head.

        Args:
            sizes: (height, width) of each level in cells.
            prior_generator: The head's.
        """
        return cls(list(map(tuple, sizes)), prior_generator.num_base_priors)

    def carry(self, transport: Transport, labels: Tensor) -> Tensor:
        """Soft labels of component 1's anchors, carried to component 0's.

        Anchor k of a cell takes those of anchor k of the cells that the cell's
        content comes from.

        Args:
            transport: The image's.
            labels: ``(A, L)`` shares of L labels; rows of 0 for anchors that are
                to be left out.

        Returns:
            ``(A, L)``.
        """
        counts = [h * w * k for (h, w), k in zip(self.sizes, self.priors)]
        carried = []
        for size, level in zip(self.sizes, labels.split(counts)):
            maps = level.reshape(*size, -1).permute(2, 0, 1)
            maps = transport.carry(maps).permute(1, 2, 0)
            carried.append(maps.reshape(-1, labels.shape[1]))
        return torch.cat(carried)
