"""Carrying maps of every level through a plan that was made at one level.

A plan R is made between the cells of one coarse level. On a finer level each of
these cells is a block of cells, and blocks are carried as a whole, so that the
place within a block is kept. On a coarser level R itself is pooled.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmix.functional.boxes import Size
from mmmix.functional.soft_losses import one_hot


class Transport(NamedTuple):
    """Where the content of each cell of component 0's grid comes from.

    Attributes:
        plan: R, ``(r, r)`` float32: row i is the distribution over component 1's
            cells that cell i takes its content from.
        grid: (height, width) of the level of the plan, r = height width.
        stride: (height, width) of a cell in pixels.
    """

    plan: Tensor
    grid: Size
    stride: tuple[float, float]

    def __deepcopy__(self, memo: Any) -> Transport:
        """Itself: nothing changes a plan, and detectors copy their samples."""
        return self

    def carry(self, source: Tensor) -> Tensor:
        """Component 1's map of any level, carried to component 0's grid.

        Args:
            source: ``(C, H, W)`` of component 1.

        Returns:
            ``(C, H, W)``: at each cell a convex combination over the cells of
            ``source``.

        Raises:
            ValueError: See :func:`carry_maps`.
        """
        return carry_maps(self.plan[None], source[None], self.grid)[0]


def carry_maps(plans: Tensor, sources: Tensor, grid: Size) -> Tensor:
    """Carry a batch of maps through one plan each.

    Args:
        plans: ``(N, r, r)``, rows sum to 1.
        sources: ``(N, C, H, W)``.
        grid: (height, width) of the plans' level.

    Returns:
        ``(N, C, H, W)`` in the type of ``sources``.

    Raises:
        ValueError: If the level is finer than the grid in one direction and
            coarser in the other.
    """
    size = tuple(sources.shape[2:])
    finer = [side >= cells for side, cells in zip(size, grid)]
    coarser = [side <= cells for side, cells in zip(size, grid)]
    if not (all(finer) or all(coarser)):
        raise ValueError(
            f'a level of {size} cells is neither finer nor coarser than the plan, '
            f'which has {grid}; choose another level for the plan'
        )
    if not all(finer):
        plans, grid = pool_plans(plans, grid, size), size
    block = tuple(math.ceil(side / cells) for side, cells in zip(size, grid))
    # Autocast would pad in float32 and multiply in another type.
    with torch.autocast(sources.device.type, enabled=False):
        columns = _to_blocks(sources, grid, block)
        carried = torch.bmm(plans.to(columns), columns)
    return _from_blocks(carried, grid, block)[..., : size[0], : size[1]]


def pool_plans(plans: Tensor, grid: Size, size: Size) -> Tensor:
    """Average plans over blocks of rows, and add them up over blocks of columns.

    Args:
        plans: ``(N, r, r)``, rows sum to 1.
        grid: (height, width) of their level.
        size: (height, width) of a level that is at most as large.

    Returns:
        ``(N, q, q)`` with q = height width of ``size``; rows sum to 1.
    """
    member = _membership(grid[0], size[0], plans), _membership(grid[1], size[1], plans)
    member = torch.kron(*member)
    share = member / member.sum(dim=0)
    # In the plans' own type: under autocast rows would be off by a hundredth.
    with torch.autocast(plans.device.type, enabled=False):
        return share.T @ plans @ member


def _membership(cells: int, blocks: int, like: Tensor) -> Tensor:
    """``(cells, blocks)``: 1 where a cell lies in a block; no block is empty."""
    index = torch.arange(cells, device=like.device) * blocks // cells
    return one_hot(index, blocks).to(like)


def _to_blocks(maps: Tensor, grid: Size, block: Size) -> Tensor:
    """``(N, C, H, W)`` to ``(N, r, C block)``; the edge fills incomplete blocks."""
    missing = [
        cells * side - length
        for cells, side, length in zip(grid, block, maps.shape[2:])
    ]
    if any(missing):
        maps = F.pad(maps, (0, missing[1], 0, missing[0]), mode='replicate')
    shape = (*maps.shape[:2], grid[0], block[0], grid[1], block[1])
    blocks = maps.reshape(shape).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(len(maps), grid[0] * grid[1], -1)


def _from_blocks(columns: Tensor, grid: Size, block: Size) -> Tensor:
    """The inverse of :func:`_to_blocks`, incomplete blocks filled up."""
    blocks = columns.view(len(columns), *grid, -1, *block).permute(0, 3, 1, 4, 2, 5)
    return blocks.reshape(len(columns), -1, grid[0] * block[0], grid[1] * block[1])
