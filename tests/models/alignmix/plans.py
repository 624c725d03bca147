"""Plans between two images, and maps carried through them by hand."""

from __future__ import annotations

import math

import torch

GRID = (3, 4)


def plans(seed, count=2, grid=GRID):
    """Random row-stochastic matrices."""
    generator = torch.Generator().manual_seed(seed)
    cells = math.prod(grid)
    return (2 * torch.randn((count, cells, cells), generator=generator)).softmax(-1)


def carried_by_hand(plan, image, grid):
    """Every cell of a finer level, in loops over the blocks of the other image."""
    (height, width), (rows, columns) = image.shape[1:], grid
    tall, wide = math.ceil(height / rows), math.ceil(width / columns)
    result = torch.zeros_like(image)
    for y in range(height):
        for x in range(width):
            cell = (y // tall) * columns + x // wide
            for other in range(rows * columns):
                yy = min(other // columns * tall + y % tall, height - 1)
                xx = min(other % columns * wide + x % wide, width - 1)
                result[:, y, x] += plan[cell, other] * image[:, yy, xx]
    return result
