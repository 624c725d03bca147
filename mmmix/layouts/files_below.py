"""The files of a folder that a person means by it."""

from __future__ import annotations

import os
from pathlib import Path

_SKIPPED = (
    'work_dirs',
    'runs',
    'predictions',
    '__pycache__',
    'node_modules',
    'SegmentationClass',
    'SegmentationObject',
)


def files_below(root: Path) -> list[Path]:
    """All files below a folder, sorted; hidden ones and results of runs are left out.

    Raises:
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If it is a file.
    """
    if not root.exists():
        raise FileNotFoundError(f'there is no folder {root.absolute()}')
    if not root.is_dir():
        raise NotADirectoryError(f'{root} is a file; give the folder that it is in')
    found = []
    for folder, below, names in os.walk(root, followlinks=True):
        here = Path(folder).resolve()
        below[:] = sorted(
            name
            for name in below
            if name[0] != '.'
            and name not in _SKIPPED
            and not here.is_relative_to(Path(folder, name).resolve())  # a link back
        )
        found += [Path(folder, name) for name in sorted(names) if name[0] != '.']
    return found
