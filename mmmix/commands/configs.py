"""List the configs and methods that come with mmmix.

Words narrow the list: `mmmix configs ssd300 voc` names all whose name or first line
has both. To train with one: `mmmix train mmmix::NAME.py`, or with another method
`mmmix train mmmix::NAME.py --mix METHOD`.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from mmmix.apis.configs.config_path import (
    config_names,
    config_root,
    mix_folder,
    mix_names,
)

_END = r'(?<!\beq)(?<!\bsec)(?<!\balg)(?<!suppl)\. (?=[A-Z]|\d+ GPU)'
"""Where a sentence ends, and no abbreviation."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('words', nargs='*', help='what a config must have')
    parser.add_argument('--methods', action='store_true', help='list methods instead')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the list; returns the exit code, 1 if nothing fits."""
    args = parse_args(argv)
    root, names = config_root(), config_names()
    if args.methods:
        root, names = mix_folder(), [f'{name}.py' for name in mix_names()]
    lines = {name: first_line(root / name) for name in names}
    words = [word.casefold() for word in args.words]
    found = {
        name: line
        for name, line in lines.items()
        if all(word in f'{name} {line}'.casefold() for word in words)
    }
    if not found:
        near = difflib.get_close_matches(' '.join(words), names, n=3, cutoff=0.4)
        print(f'none has {" and ".join(args.words)}; nearest: {", ".join(near) or "-"}')
        return 1
    width = max(map(len, found))
    prefix = '' if args.methods else 'mmmix::'
    for name, line in found.items():
        name = Path(name).stem if args.methods else name
        print(f'{prefix}{name:{width}}  {line}'.rstrip())
    return 0


def first_line(path: Path) -> str:
    """The first sentence of a config's comment."""
    with open(path, encoding='utf-8') as file:
        comment = []
        for line in file:
            if not line.startswith('#'):
                break
            comment.append(line.lstrip('# ').strip())
    return re.split(_END, ' '.join(comment))[0].rstrip('.')
