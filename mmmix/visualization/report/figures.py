"""Figures of a run, as SVG inside of the page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmix.visualization.guarded import as_written

Points = Sequence[Sequence[Any]]

COLUMNS = 3
COLORS = ('#1f77b4', '#d62728', '#2ca02c', '#ff7f0e', '#9467bd', '#8c564b')
_STYLE = {
    'svg.fonttype': 'none',  # text stays text: smaller, and can be searched
    'svg.hashsalt': 'mmmix',
    'font.size': 8,
    'axes.titlesize': 8,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'grid.color': '#e6e6e6',
    'grid.linewidth': 0.5,
    'lines.linewidth': 1.2,
}


def line_grid(groups: Mapping[str, Mapping[str, Points]]) -> str:
    """Small axes side by side, one for each title, with a line for each label.

    Args:
        groups: By title, by label, points ``[x, y]``; a ``y`` of None is a gap.

    Returns:
        A data URI.
    """
    with _axes(len(groups)) as (figure, axes):
        for axis, (title, lines) in zip(axes, groups.items()):
            axis.set_title(title, loc='left')
            for color, (label, points) in zip(_colors(len(lines)), lines.items()):
                x, y = np.array(points, dtype=float).T  # None becomes nan
                marker = '.' if len(points) < 30 else None
                axis.plot(x, y, color=color, label=label, marker=marker, ms=4)
            if len(lines) > 1:
                axis.legend(frameon=False)
        return _uri(figure)


def histogram(counts: Sequence[int]) -> str:
    """How often λ fell into each of equal parts of [0, 1]."""
    with _axes(1) as (figure, (axis,)):
        edges = np.linspace(0, 1, len(counts) + 1)
        axis.bar(edges[:-1], counts, np.diff(edges), align='edge', color=COLORS[0])
        axis.set(xlim=(0, 1), xlabel='λ')
        axis.set_title('images', loc='left')
        return _uri(figure)


def precision_recall(
    recalls: Sequence[float], models: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """Precision over recall of every class, one axes for each model.

    Args:
        recalls: Where ``precision`` of the classes was read off.
        models: By name, the classes that have objects.
    """
    with _axes(len(models), width=4.6, height=3.4) as (figure, axes):
        for axis, (name, classes) in zip(axes, models.items()):
            ranked = sorted(classes, key=lambda entry: -entry['ap'])
            named = ranked if len(ranked) <= 10 else [*ranked[:3], *ranked[-3:]]
            for entry in ranked:
                shown = entry in named
                axis.plot(
                    recalls,
                    np.array(entry['precision'], dtype=float),
                    label=f'{entry["name"]} {entry["ap"]:.3f}' if shown else None,
                    color=None if shown else '#cccccc',
                    zorder=2 if shown else 1,
                )
            axis.set(xlim=(0, 1), ylim=(0, 1.02), xlabel='recall', ylabel='precision')
            axis.set_title(name, loc='left')
            if named:
                axis.legend(frameon=False, fontsize=7)
        return _uri(figure)


def bars(values: Mapping[str, Mapping[str, float]]) -> str:
    """A horizontal bar for each name, several side by side where there are models.

    Args:
        values: By model, by name, a number in [0, 1].
    """
    names = list(dict.fromkeys(name for own in values.values() for name in own))
    height = 0.8 + 0.17 * len(names) * len(values)
    left = 0.3 + 0.075 * max(map(len, names), default=0)
    with _axes(1, 6.5, height, left) as (figure, (axis,)):
        size = 0.8 / max(len(values), 1)
        places = np.arange(len(names))
        for k, (color, model) in enumerate(zip(_colors(len(values)), values)):
            own = [values[model].get(name, np.nan) for name in names]
            drawn = axis.barh(places + k * size, own, size, color=color, label=model)
            axis.bar_label(drawn, [f'{value:.3f}' for value in own], padding=2)
        axis.set_yticks(places + size * (len(values) - 1) / 2, names)
        axis.set(xlim=(0, 1.1))
        axis.invert_yaxis()
        if len(values) > 1:
            axis.legend(frameon=False, loc='lower right')
        return _uri(figure)


@contextmanager
def _axes(
    count: int, width: float = 3.2, height: float = 1.9, left: float = 0.6
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure with ``count`` axes in rows; sizes in inches.

    Margins are fixed: matplotlib's own layouts take most of the time of a page.
    """
    columns = max(1, min(count, COLUMNS))
    rows = max(1, math.ceil(count / columns))
    with matplotlib.rc_context(_STYLE):
        figure = Figure((columns * width, rows * height))
        axes = [
            figure.add_axes(
                (
                    (k % columns + left / width) / columns,
                    1 - (k // columns + 1 - 0.4 / height) / rows,
                    (1 - (left + 0.15) / width) / columns,
                    (1 - 0.65 / height) / rows,
                )
            )
            for k in range(count)
        ]
        yield figure, axes


def _colors(count: int) -> list[str]:
    return [COLORS[k % len(COLORS)] for k in range(count)]


def _uri(figure: Figure) -> str:
    """A figure as an SVG image that needs no file."""
    content = io.BytesIO()
    as_written(figure)
    figure.savefig(content, format='svg', metadata={'Date': None})
    return f'data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode()}'
