"""Files by their names and endings: in any case, and each with a name of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path


def in_any_case(path: str) -> str:
    """The file of a path, or one that differs from it in the case of its ending alone.

    Cameras and tools on Windows write ``a.TXT``. If there is neither, it is the path
    as it was.
    """
    if os.path.isfile(path):
        return path
    folder, name = os.path.split(path)
    stem, ending = os.path.splitext(name)
    found = names_in(folder or '.').get(stem + ending.lower())
    return os.path.join(folder, found) if found else path


def that_end_in(paths: Iterable[Path], *endings: str) -> list[Path]:
    """Those of some files that end so, in any case; ``endings`` are in lower case."""
    return [path for path in paths if path.suffix.lower() in endings]


def check_names(paths: Iterable[Path], why: str) -> None:
    """Make sure that no two files of a folder have one name, but for its ending.

    Raises:
        ValueError: If two have; with both.
    """
    named: dict[Path, Path] = {}
    for path in paths:
        first = named.setdefault(path.with_suffix(''), path)
        if first != path:
            raise ValueError(
                f'{first} and {path} have one name, and {why}; rename one, or take it '
                'out of the folder'
            )


def names_in(folder: str) -> Mapping[str, str]:
    """Names of the files in a local folder, by their names with a lower-case ending.

    Of two that are the same but for the case, the one in lower case counts.
    """
    if not os.path.isdir(folder):
        return {}
    return _listed(folder, os.stat(folder).st_mtime_ns)


@lru_cache(maxsize=32)
def _listed(folder: str, changed: int) -> Mapping[str, str]:
    """The names in a folder as it was at a time."""
    names = {}
    for name in sorted(os.listdir(folder)):  # upper case comes first
        stem, ending = os.path.splitext(name)
        names[stem + ending.lower()] = name
    return names
