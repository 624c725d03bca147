"""Pictures of what a plan carries from one image to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from mmmix.models.alignmix.transport import Transport

from .draw_mix import COLORS

_SIDE = 2.6


class AlignedImages(NamedTuple):
    """A pair of images with its plan; pixels are RGB in [0, 1].

    Attributes:
        images: The image itself and its partner, ``(3, H, W)`` each.
        boxes: Of either, ``(n, 4)`` in pixels.
        lam: λ, the weight of the image itself.
        transport: How the partner's content is carried.
    """

    images: tuple[Tensor, Tensor]
    boxes: tuple[Tensor, Tensor]
    lam: float
    transport: Transport


def draw_alignment(pairs: Sequence[AlignedImages], num_probes: int = 4) -> Figure:
    """A row per pair, with four pictures.

    1. The image with its boxes, and some of its cells marked: the one that takes
       most from inside the partner's boxes first; cells all over the image where the
       partner has none.
    2. The partner with its boxes. Each marked cell's colour lies on the cells that
       its content comes from, the more opaque the larger their share.
    3. The partner's pixels, carried to the image's grid.
    4. λ times the image plus 1 - λ times these pixels, and in red the share of the
       partner's objects in the labels that every cell receives.

    Args:
        pairs: What to draw, at least one.
        num_probes: Cells to mark in each image.

    Returns:
        A matplotlib figure, to be saved with ``savefig``.
    """
    figure = Figure(figsize=(4 * _SIDE, len(pairs) * _SIDE), layout='constrained')
    axes = figure.subplots(len(pairs), 4, squeeze=False)
    for row, pair in zip(axes, pairs):
        _draw_row(row, pair, num_probes)
    titles = ('image', 'partner', 'carried to the image', 'mixed')
    for panel, title in zip(axes[0], titles):
        panel.set_title(title, fontsize=9)
    for panel in axes.flat:
        panel.set_axis_off()
    return figure


def object_map(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """``(1, H, W)``: 1 on pixels inside a box."""
    mask = torch.zeros(1, *size)
    for x1, y1, x2, y2 in boxes.round().long().clamp(min=0).tolist():
        mask[:, y1:y2, x1:x2] = 1
    return mask


def probes(carried: Tensor, grid: tuple[int, int], count: int) -> list[int]:
    """Cells that take most from objects, no two of them neighbours.

    Args:
        carried: ``(r,)``: share of objects that each cell takes.
        grid: (height, width) in cells.
        count: How many to choose at most.
    """
    chosen: list[int] = []
    for cell in carried.argsort(descending=True, stable=True).tolist():
        row, column = divmod(cell, grid[1])
        places = [divmod(other, grid[1]) for other in chosen]
        if all(max(abs(row - y), abs(column - x)) > 1 for y, x in places):
            chosen.append(cell)
        if len(chosen) == count:
            break
    return chosen


def spread(grid: tuple[int, int], count: int) -> list[int]:
    """Cells all over a grid, evenly.

    Args:
        grid: (height, width) in cells.
        count: How many to choose at most.
    """
    side = math.ceil(math.sqrt(count))
    rows, columns = (
        sorted({(2 * k + 1) * cells // (2 * side) for k in range(side)})
        for cells in grid
    )
    return [row * grid[1] + column for row in rows for column in columns][:count]


def _draw_row(row: Sequence[Axes], pair: AlignedImages, num_probes: int) -> None:
    (own, other), transport = pair.images, pair.transport
    objects = object_map(pair.boxes[1], tuple(other.shape[1:]))
    cells = torch.nn.functional.adaptive_avg_pool2d(objects, transport.grid).flatten()
    carried, share = transport.carry(other), transport.carry(objects)[0]
    mixed = pair.lam * own + (1 - pair.lam) * carried
    for panel, image in zip(row, (own, other, carried, mixed)):
        panel.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy())
    _draw_boxes(row[0], pair.boxes[0], COLORS[0])
    _draw_boxes(row[1], pair.boxes[1], COLORS[1])
    _draw_boxes(row[3], pair.boxes[0], COLORS[0])
    palette = colormaps['Set1'].colors
    chosen = (
        probes(transport.plan @ cells, transport.grid, num_probes)
        if len(pair.boxes[1])
        else spread(transport.grid, num_probes)
    )
    for index, cell in enumerate(chosen):
        color = palette[index % len(palette)]
        _draw_cell(row[0], transport, cell, color, 0.8)
        shares = transport.plan[cell]
        for source in (shares > 0.01).nonzero().flatten().tolist():
            opacity = float(shares[source] / shares.max())
            _draw_cell(row[1], transport, source, color, 0.8 * opacity)
    overlay = np.zeros((*share.shape, 4))
    overlay[..., 0] = 1
    overlay[..., 3] = 0.6 * (1 - pair.lam) * share.clamp(0, 1).numpy()
    row[3].imshow(overlay)
    label = f'{pair.lam:.2f} + {1 - pair.lam:.2f}'
    row[3].text(2, 2, label, fontsize=8, va='top', backgroundcolor='white')


def _draw_boxes(panel: Axes, boxes: Tensor, color: str) -> None:
    for x1, y1, x2, y2 in boxes.tolist():
        panel.add_patch(
            Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=color, lw=1.5)
        )


def _draw_cell(
    panel: Axes, transport: Transport, cell: int, color: tuple, opacity: float
) -> None:
    row, column = divmod(cell, transport.grid[1])
    height, width = transport.stride
    panel.add_patch(
        Rectangle(
            (column * width, row * height), width, height, color=color, alpha=opacity
        )
    )
