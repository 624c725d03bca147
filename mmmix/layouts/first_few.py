"""The first few of many names or lines, with how many follow."""

from __future__ import annotations

from collections.abc import Sequence


def first_few(names: Sequence[object], count: int = 10) -> str:
    """Names in a sentence: ``'a, b, c and 7 more'``.

    Args:
        names: All of them.
        count: As many are named.
    """
    more = f' and {len(names) - count} more' if len(names) > count else ''
    return ', '.join(map(str, names[:count])) + more


def first_lines(texts: Sequence[object], count: int = 10) -> str:
    """Indented lines, one for each text, and one with how many follow.

    Args:
        texts: All of them.
        count: As many are shown.
    """
    lines = [f'  {text}' for text in texts[:count]]
    if len(texts) > count:
        lines.append(f'  and {len(texts) - count} more')
    return '\n'.join(lines)
