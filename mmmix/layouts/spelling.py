"""Names of classes that may be meant for one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BETWEEN_LETTERS = re.compile(r'(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])')


def spelled_alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ in case, and in blanks or dashes between letters.

    Args:
        names: Each once or more often.

    Returns:
        The groups of two and more, in the order of ``names``.
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        # a category of COCO's may be called by a number
        plain = unicodedata.normalize('NFC', str(name)).casefold()
        groups.setdefault(_BETWEEN_LETTERS.sub('', plain), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def alike_remarks(names: Iterable[str]) -> list[str]:
    """A sentence on each group of names that are spelled alike."""
    return [
        f'{" and ".join(map(repr, group))} are {len(group)} classes; if they are '
        'meant for one, give all its objects one name'
        for group in spelled_alike(names)
    ]
