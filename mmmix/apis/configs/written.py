"""Values as they stand in a config file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def written(value: Any, indent: int = 0, width: float = 72) -> str:
    """A value as a config writes it.

    Args:
        value: Of plain containers and values.
        indent: Of the line that it ends.
        width: Of lines about; longer values are broken, none where it is infinite.
    """
    inner, outer = ' ' * (indent + 4), ' ' * indent
    if isinstance(value, Mapping):
        items = [
            f'{key}={written(item, indent + 4, width)}' for key, item in value.items()
        ]
        start, end = 'dict(', ')'
    elif isinstance(value, list):
        items = [written(item, indent + 4, width) for item in value]
        start, end = '[', ']'
    else:
        return repr(value)
    line = f'{start}{", ".join(items)}{end}'
    if len(line) + indent <= width and '\n' not in line:
        return line
    return (
        f'{start}\n' + ''.join(f'{inner}{item},\n' for item in items) + f'{outer}{end}'
    )
