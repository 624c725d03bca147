"""Which files of a folder in YOLO's layout name its classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmmix.layouts.endings import that_end_in
from mmmix.layouts.yolo import read_data_yaml, read_names

NAME_FILES = ('classes.txt', 'obj.names', 'predefined_classes.txt', 'coco.names')
YAML_NAMES = ('data.yaml', 'data.yml', 'dataset.yaml', 'dataset.yml')
_OF_THE_LABELS = NAME_FILES[:2]
"""The others come with programs, and may be of other classes."""


def yaml_with_names(files: Sequence[Path]) -> Path | None:
    """The first YAML file that tells the names of classes."""
    for path in that_end_in(files, '.yaml', '.yml'):
        text = path.read_text(encoding='utf-8-sig', errors='replace')
        if re.search(r'^["\']?names["\']?\s*:', text, re.MULTILINE):
            return path
    return None


def check_other_names(names: Sequence[str], files: Sequence[Path]) -> None:
    """Make sure that no file names the classes otherwise than they are taken to be.

    Args:
        names: Of the classes; a file may have more or fewer.
        files: Of the folder.

    Raises:
        ValueError: If one does.
    """
    for path, others in _stated(files):
        for index, (name, other) in enumerate(zip(names, others)):
            if name != other:
                raise ValueError(
                    f'class {index} is {other!r} in {path}, and {name!r} in another '
                    'file of names (data.yaml, classes.txt); delete the wrong one, or '
                    'make them agree'
                )


def _stated(files: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    """The files that are called as files of names are, with their names."""
    for path in files:
        if path.name.lower() in _OF_THE_LABELS:
            yield path, read_names(path)
        elif path.name.lower() in YAML_NAMES and yaml_with_names([path]):
            yield path, read_data_yaml(path)['names']
