"""Tables and figures of a robustness study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from mmmix.studies.seeds.report import Spread
from mmmix.studies.trained.models.loaded_detector import MAIN_METRICS
from mmmix.studies.trained.results.figures import grid, save
from mmmix.studies.trained.results.summary import MODEL, summarise
from mmmix.studies.trained.results.tables import (
    cell,
    group,
    interval_cell,
    markdown_table,
    write_csv,
)
from mmmix.studies.trained.robustness.perturbations import CLEAN, UNITS, Perturbation

PERTURBATION = 'perturbation'
METRICS = MAIN_METRICS

_PANELS_A_ROW = 5
_MEAN = 'mean of {} corruptions'

Row = Mapping[str, Any]


def check_metrics(records: Sequence[Row], metrics: Sequence[str]) -> None:
    """Refuse metrics that no record has.

    Raises:
        KeyError: With those that there are.
    """
    known = list(dict.fromkeys(key for record in records for key in record['metrics']))
    missing = [metric for metric in metrics if metric not in known]
    if missing:
        raise KeyError(f'no result has the metrics {missing}; there are {known}')


def write_report(
    folder: Path,
    records: Sequence[Row],
    perturbations: Sequence[Perturbation],
    metrics: Sequence[str] = METRICS,
) -> str:
    """Write ``robustness.md``, the CSV files and one figure per metric.

    ``cells.csv`` has every number of every model, ``robustness.csv`` mean, standard
    deviation and difference to the first method.

    Args:
        folder: Where to.
        records: Of ``score_perturbed``.
        perturbations: Those of the study.
        metrics: Metrics to report.

    Returns:
        The text of the Markdown file.

    Raises:
        KeyError: If a metric is in no record.
    """
    check_metrics(records, metrics)
    cells = [_flat(record) for record in records]
    # Configs may have metrics of their own, such as an AP of each class.
    columns = list(dict.fromkeys(key for row in cells for key in row))
    write_csv(folder / 'cells.csv', cells, columns)
    rows = summarise(
        [*cells, *corruption_means(cells, perturbations)], [PERTURBATION], metrics
    )
    deltas = [f'Δ {metric}' for metric in metrics]
    columns = [PERTURBATION, MODEL, *metrics, *deltas]
    write_csv(folder / 'robustness.csv', rows, columns)
    text = '\n\n'.join(wide_table(rows, metric) for metric in metrics) + '\n'
    (folder / 'robustness.md').write_text(text, encoding='utf-8')
    for metric in metrics:
        plot(folder / f'{metric.replace("/", "_")}.png', rows, perturbations, metric)
    return text


def _flat(record: Row) -> dict[str, Any]:
    """A record without nesting; ``'model'`` is the method."""
    return {
        MODEL: record['name'],
        PERTURBATION: record[PERTURBATION],
        **{key: _known(value) for key, value in record['metrics'].items()},
        'config': record['config'],
        'checkpoint': record['checkpoint'],
    }


def _known(value: float) -> float:
    # COCO reports -1 where the data hold no object of a size.
    return math.nan if value == -1 else value


def corruption_means(
    cells: Sequence[Row], perturbations: Sequence[Perturbation]
) -> list[dict[str, Any]]:
    """Each model's mean over the common corruptions, none unless there are several.

    Over all 15 at 5 severities this is the mean performance under corruption of
    Michaelis et al. (2019).
    """
    common = [str(p) for p in perturbations if p.common]
    if len(common) < 2:
        return []
    models = group(
        [
            ((c[MODEL], c['config'], c['checkpoint']), c)
            for c in cells
            if c[PERTURBATION] in common
        ]
    )
    return [
        {
            MODEL: key[0],
            PERTURBATION: _MEAN.format(len(common)),
            **{
                name: Spread.of([member[name] for member in members]).mean
                for name, value in members[0].items()
                if isinstance(value, float)
            },
        }
        for key, members in models.items()
        if len(members) == len(common)
    ]


def wide_table(rows: Sequence[Row], metric: str) -> str:
    """A metric by perturbation (rows) and method (columns), with the differences."""
    methods = list(dict.fromkeys(row[MODEL] for row in rows))
    lines = []
    for name, members in group([(row[PERTURBATION], row) for row in rows]).items():
        line = {PERTURBATION: name}
        for row in members:
            line[row[MODEL]] = cell(row[metric])
            if f'Δ {metric}' in row:
                delta = interval_cell(row[f'Δ {metric}'])
                line[f'Δ {row[MODEL]}'] = cell(delta, sign='+')
        lines.append(line)
    others = [f'Δ {method}' for method in methods[1:]]
    compared = f'; Δ: difference to {methods[0]}, and its 95 % interval over seeds'
    title = metric + (compared if others else '')
    return f'{title}\n\n{markdown_table(lines, [PERTURBATION, *methods, *others])}'


def plot(
    path: Path,
    rows: Sequence[Row],
    perturbations: Sequence[Perturbation],
    metric: str,
) -> None:
    """A panel per kind of perturbation over its level, differences below it."""
    kinds = list(dict.fromkeys(p.kind for p in perturbations if p != CLEAN))
    if not kinds:
        return
    methods = list(dict.fromkeys(row[MODEL] for row in rows))
    compared = len(methods) > 1
    columns = min(len(kinds), _PANELS_A_ROW)
    blocks = math.ceil(len(kinds) / columns)
    figure, axes = grid(blocks * (1 + compared), columns, 3.2, 2.6)
    found = {(row[PERTURBATION], row[MODEL]): row for row in rows}
    for place, kind in enumerate(kinds):
        levels = [p for p in perturbations if p.kind == kind]
        ends = [Perturbation(CLEAN.kind, 1.0 if kind == 'boundary' else 0.0)]
        points = sorted([*ends, *levels], key=lambda p: p.level)
        line, column = place // columns * (1 + compared), place % columns
        for row, key in enumerate([metric, f'Δ {metric}'][: 1 + compared]):
            panel = axes[line + row][column]
            _curves(panel, found, points, methods[row:], key, offset=row)
            panel.set_title(kind)
            panel.set_xlabel(UNITS.get(kind, 'severity'))
            panel.set_ylabel(key)
    for place in range(len(kinds), blocks * columns):
        for row in range(1 + compared):
            line = place // columns * (1 + compared) + row
            axes[line][place % columns].set_axis_off()
    axes[0][0].legend(fontsize='small')
    save(figure, path)


def _curves(
    panel: Axes,
    found: Mapping[tuple[str, str], Row],
    points: Sequence[Perturbation],
    methods: Sequence[str],
    key: str,
    offset: int,
) -> None:
    """One line per method, with the standard deviation over seeds as error bars."""
    for number, method in enumerate(methods):
        spreads = [found.get((str(p), method), {}).get(key) for p in points]
        known = [
            (p.level, s.mean, s.std or 0.0)
            for p, s in zip(points, spreads)
            if s is not None and s.mean is not None
        ]
        if known:
            levels, means, stds = zip(*known)
            style = dict(marker='o', markersize=4, capsize=2, linewidth=1.2)
            colour = f'C{number + offset}'
            panel.errorbar(levels, means, stds, label=method, color=colour, **style)
    if offset:
        panel.axhline(0, color='black', linewidth=0.8)
    else:
        panel.set_ylim(bottom=0)
    panel.grid(alpha=0.3)
