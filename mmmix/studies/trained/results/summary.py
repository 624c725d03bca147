"""Tables that set methods beside the first one, over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmix.studies.seeds.report import Spread
from mmmix.studies.trained.results.tables import (
    difference_of_means,
    group,
    interval_cell,
    markdown_table,
    write_csv,
)

Record = Mapping[str, Any]

MODEL = 'model'
"""The column with the method's name."""


def summarise(
    records: Sequence[Record], conditions: Sequence[str], metrics: Sequence[str]
) -> list[dict[str, Any]]:
    """Mean and spread over seeds, and the difference to the first method.

    Args:
        records: One for each seed, method and condition, seeds in the same order
            for all methods: the ``'model'``, the conditions, and the metrics; a
            metric that cannot be told is None or NaN.
        conditions: Columns whose values a row shares.
        metrics: Columns of numbers.

    Returns:
        One row per condition and method, in order of appearance: spreads of the
        metrics and, except for the first method, of ``'Δ <metric>'``.
    """
    keys = (MODEL, *conditions)
    groups = group([(tuple(record[k] for k in keys), record) for record in records])
    first = records[0][MODEL] if records else None
    places = list(dict.fromkeys(key[1:] for key in groups))
    rows = []
    for key in sorted(groups, key=lambda key: places.index(key[1:])):
        members = groups[key]
        base = groups.get((first, *key[1:]), [])
        row: dict[str, Any] = dict(zip(keys, key))
        for metric in metrics:
            row[metric] = Spread.of(_known(members, metric))
            if key[0] != first:
                row[f'Δ {metric}'] = _difference(members, base, metric)
        rows.append(row)
    return rows


def _difference(members: Sequence[Record], base: Sequence[Record], metric: str) -> Any:
    """Over the seeds that both methods have a number of, if they have all seeds."""
    if len(members) != len(base):
        # As many numbers by chance, one that is unknown left out, are no pairs.
        return difference_of_means(_known(members, metric), _known(base, metric))
    pairs = [_known(pair, metric) for pair in zip(members, base)]
    return Spread.of([pair[0] - pair[1] for pair in pairs if len(pair) == 2])


def _known(records: Sequence[Record], metric: str) -> list[float]:
    values = [record.get(metric) for record in records]
    return [value for value in values if value is not None and math.isfinite(value)]


def write_summary(
    folder: Path,
    stem: str,
    title: str,
    rows: Sequence[Mapping[str, Any]],
    conditions: Sequence[str],
    metrics: Sequence[str],
) -> str:
    """Write ``<stem>.md`` and ``<stem>.csv``.

    Args:
        folder: Where to.
        stem: Name of the files.
        title: What the table shows, a sentence.
        rows: From :func:`summarise`.
        conditions: As there.
        metrics: As there.

    Returns:
        The text of the Markdown file.
    """
    keys = [*conditions, MODEL]
    deltas = [f'Δ {metric}' for metric in metrics]
    text = f'{title}\n\n{markdown_table(rows, [*keys, *metrics])}\n'
    others = [row for row in rows if deltas[0] in row]
    if others:
        first = rows[0][MODEL]
        shown = [{key: interval_cell(row[key]) for key in row} for row in others]
        text += f'\nDifference to {first}, and its 95 % interval over seeds:\n\n'
        text += f'{markdown_table(shown, keys + deltas)}\n'
    write_csv(folder / f'{stem}.csv', rows, [*keys, *metrics, *deltas])
    (folder / f'{stem}.md').write_text(text, encoding='utf-8')
    return text
