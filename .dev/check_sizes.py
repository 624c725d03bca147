"""Fail for Python files that are too long to be read in one go; part of `make lint`.

Run it in the root of the checkout: python .dev/check_sizes.py
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDERS = ('mmmix', 'tests', 'tools', '.dev')
MAX_LINES = 300


def main() -> int:
    """Name the files that are too long; 1 if there are any, else 0."""
    lengths = {
        path: len(path.read_bytes().splitlines())
        for folder in FOLDERS
        for path in sorted(Path(folder).rglob('*.py'))
    }
    long = {path: lines for path, lines in lengths.items() if lines > MAX_LINES}
    for path, lines in long.items():
        print(f'{path}: {lines} lines; split it by subject into {MAX_LINES} at most')
    return min(len(long), 1)


if __name__ == '__main__':
    sys.exit(main())
