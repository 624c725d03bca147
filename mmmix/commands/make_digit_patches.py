"""Make patches of digits for tools/analysis_tools/transplant.py.

python tools/dataset_converters/make_digit_patches.py
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmmix.apis.run_command import run_command
from mmmix.testing.digits import CLASSES, DOMAINS
from mmmix.testing.digits.patches import write_patches

_FOLDERS = {'source': 'data/digit_patches', 'target': 'data/digit_patches_target'}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Write handwritten digits on transparent ground as '
        'CLASS/CLASS_K.png, each painted as on an image of its own. Handwriting is '
        'that of the test split, comes with scikit-learn, and no model has seen it in '
        'training. A folder that already holds the same patches is left as it is.',
    )
    add = parser.add_argument
    add(
        '--out',
        help=f'folder to write (default: {_FOLDERS["source"]}, for the target domain '
        f'{_FOLDERS["target"]})',
    )
    add(
        '--domain',
        choices=DOMAINS,
        default='source',
        help='target: inverted or striped outlines (default: %(default)s)',
    )
    add(
        '--count',
        type=int,
        metavar='N',
        default=3,
        help='patches of each digit; fewer are the first of more (default: 3)',
    )
    add('--seed', type=int, default=0, help='non-negative seed (default: 0)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the patches, or say that they are there already."""
    args = parse_args(argv)
    out = args.out or _FOLDERS[args.domain]
    written = write_patches(out, args.count, args.domain, args.seed)
    state = 'written to' if written else 'already in'
    print(f'{args.count * len(CLASSES)} patches of digits {state} {out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
