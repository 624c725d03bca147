"""Figures of the studies, without matplotlib's global state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmix.visualization import as_written


def grid(rows: int, columns: int, width: float, height: float) -> tuple[Figure, list]:
    """A figure of equal axes.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Of each of them, in inches.
        height: Likewise.

    Returns:
        The figure, and ``rows`` lists of ``columns`` axes.
    """
    figure = Figure(figsize=(columns * width, rows * height), layout='constrained')
    return figure, figure.subplots(rows, columns, squeeze=False).tolist()


def bars(
    axes: Axes,
    values: np.ndarray,
    spreads: np.ndarray,
    names: list[str],
    groups: list[str],
) -> None:
    """Bars side by side with their spread, the last of each group in black.

    Args:
        axes: Where to.
        values: ``(names, groups)``; NaN leaves a bar out.
        spreads: Likewise; NaN shows none.
        names: Entries of the legend, a colour each.
        groups: Labels below.
    """
    middle = np.arange(len(groups))
    width = 0.8 / len(names)
    palette = colormaps['tab10' if len(names) <= 11 else 'tab20'].colors
    colors = [palette[k % len(palette)] for k in range(len(names) - 1)] + ['black']
    for index, (name, color) in enumerate(zip(names, colors)):
        where = middle + (index - (len(names) - 1) / 2) * width
        axes.bar(where, values[index], width, label=name, color=color)
        axes.errorbar(
            where, values[index], spreads[index], fmt='none', ecolor='grey', lw=0.8
        )
    axes.set_xticks(middle, groups)
    axes.axhline(0, color='black', linewidth=0.8)
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), fontsize='small')


def save(figure: Figure, path: Path) -> None:
    """Write a figure, making its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    as_written(figure)
    figure.savefig(path, dpi=120)
