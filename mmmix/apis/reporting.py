"""Markdown tables, and JSON files that a crash cannot truncate."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmix.engine.whole_files import write_whole


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table whose columns also line up as plain text.

    Args:
        header: One title per column.
        rows: Cells, as many per row as there are titles. The first column is
            aligned to the left, the others, taken to be numbers, to the right.

    Raises:
        ValueError: If a row has another number of cells than the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(
                f'a row of {len(header)} cells was expected, one for each of '
                f'{list(header)}; got {list(row)}'
            )
    widths = [
        max(len(row[column]) for row in [header, *rows])
        for column in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths)
        padded = [first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]
        return '| ' + ' | '.join(padded) + ' |'

    rule = '|'.join(
        '-' * (width + 2) if column == 0 else '-' * (width + 1) + ':'
        for column, width in enumerate(widths)
    )
    return '\n'.join([line(header), f'|{rule}|', *map(line, rows)])


def write_json(path: str | Path, content: Any) -> None:
    """Replace ``path`` by ``content`` in one step, making its folder if needed.

    A reader, or a run that was killed half-way, finds the old or the new file,
    never a part of one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2) + '\n').encode())


def say(text: str) -> None:
    """Print a line at once, with the time of day."""
    sys.stdout.write(f'{time.strftime("%H:%M:%S")} {text}\n')
    sys.stdout.flush()
