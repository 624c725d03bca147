"""Generate the digits demo data in VOC layout; needs no download.

python tools/dataset_converters/make_digits.py
python tools/dataset_converters/make_digits.py --domain target --coco
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmmix.apis.run_command import run_command
from mmmix.testing.digits import DOMAINS, DigitsSettings
from mmmix.testing.digits.generate import generate

_FOLDERS = {'source': 'data/digits', 'target': 'data/digits_target'}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Generate the digits demo data: 1 to 4 handwritten digits on '
        '160 px images, in VOC layout. Handwriting and backgrounds come with '
        'scikit-learn; no split shares any with another. A folder that already '
        'holds the same data is left as it is.',
    )
    defaults = DigitsSettings()
    parser.add_argument(
        '--out',
        help=f'folder to write (default: {_FOLDERS["source"]}, for the target domain '
        f'{_FOLDERS["target"]})',
    )
    parser.add_argument(
        '--domain',
        choices=DOMAINS,
        default=defaults.domain,
        help='target: other backgrounds, inverted or striped outlines, blur '
        '(default: %(default)s)',
    )
    for split in ('train', 'val', 'test'):
        parser.add_argument(
            f'--{split}',
            type=int,
            metavar='N',
            default=getattr(defaults, split),
            help=f'number of {split} images; fewer are a prefix of more '
            '(default: %(default)s)',
        )
    parser.add_argument(
        '--seed',
        type=int,
        default=defaults.seed,
        help='non-negative seed (default: %(default)s)',
    )
    parser.add_argument(
        '--coco',
        action='store_true',
        help='also write annotations/{train,val,test}.json in COCO format',
    )
    parser.add_argument(
        '--force', action='store_true', help='replace digits of other settings'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Generate the data, or say that it is there already."""
    args = parse_args(argv)
    out = args.out or _FOLDERS[args.domain]
    settings = DigitsSettings(args.domain, args.train, args.val, args.test, args.seed)
    written = generate(settings, out, coco=args.coco, force=args.force)
    state = 'written to' if written else 'already in'
    print(f'{len(settings.images())} images of digits {state} {out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
