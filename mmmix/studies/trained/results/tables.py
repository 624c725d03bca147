"""Tables of studies: mean ± spread over seeds, as markdown and CSV."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mmmix.apis import reporting
from mmmix.studies.seeds.report import Spread

Key = TypeVar('Key', bound=Hashable)
Value = TypeVar('Value')


def difference_of_means(values: Sequence[float], base: Sequence[float]) -> Spread:
    """The difference of two methods whose seeds cannot be paired, without a spread."""
    ours, theirs = Spread.of(values).mean, Spread.of(base).mean
    missing = ours is None or theirs is None
    count = min(len(values), len(base))
    return Spread(None if missing else ours - theirs, None, count)


def group(pairs: Sequence[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """Values by key, such as those of all seeds by name, in order of appearance."""
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def cell(value: Any, digits: int = 3, sign: str = '') -> str:
    """A value of a table: numbers rounded, a spread as ``0.713 ± 0.012``.

    Args:
        value: A spread, a number, None (``n/a``) or text.
        digits: Digits after the point.
        sign: ``'+'`` shows a plus.
    """
    if isinstance(value, Spread):
        mean = cell(value.mean, digits, sign)
        return mean if value.std is None else f'{mean} ± {value.std:.{digits}f}'
    if value is None:
        return 'n/a'
    if isinstance(value, float):
        return f'{value:{sign}.{digits}f}'
    return str(value)


def interval_cell(value: Any) -> Any:
    """A spread as ``+0.012 [-0.003, +0.027]``, its mean with Student's 95 % interval.

    What is no spread, or has none, stays as it is.
    """
    if isinstance(value, Spread) and value.std is not None:
        return value.interval().rpartition(' (')[0]
    return value


def markdown_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A table of one row per mapping.

    Args:
        rows: Values by column, laid out by :func:`cell`; one that a row lacks
            becomes ``n/a``.
        columns: Titles, and keys of the rows; the first one is aligned to the left.
    """
    cells = [[cell(row.get(column)) for column in columns] for row in rows]
    return reporting.markdown_table(columns, cells)


def write_csv(
    path: str | Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Write rows with full precision; a spread ``x`` becomes ``x`` and ``x_std``.

    Args:
        path: The file; its folder is made if needed.
        rows: Values by column.
        columns: Which values, in which order.
    """
    spreads = {c for c in columns if any(isinstance(r.get(c), Spread) for r in rows)}
    names = [
        name for c in columns for name in ([c, f'{c}_std'] if c in spreads else [c])
    ]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(
            {k: v for c in columns for k, v in _fields(row, c)} for row in rows
        )


def _fields(row: Mapping[str, Any], column: str) -> list[tuple[str, Any]]:
    """A column's entries in a CSV row."""
    value = row.get(column)
    if isinstance(value, Spread):
        return [(column, value.mean), (f'{column}_std', value.std)]
    return [(column, value)]
