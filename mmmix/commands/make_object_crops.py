"""Crop the objects of a data set in VOC layout into a set for classifiers.

python tools/dataset_converters/make_object_crops.py data/VOCdevkit/VOC2012 \
    --splits train val --out data/animal_crops

Each object becomes an image of one class with one box, its context enlarged by half, so
that there is something to classify and something to localise. configs/classification
reads the result; difficult objects and small ones are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmmix.apis.run_command import run_command
from mmmix.datasets.object_crops import CropSettings, write_crops

ANIMALS = ('cat', 'cow', 'dog', 'horse', 'person', 'sheep')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('root', type=Path, help='with JPEGImages, Annotations and ImageSets/Main')
    add('--out', type=Path, required=True, help='folder to make')
    add(
        '--splits',
        nargs='+',
        default=['train', 'val', 'test'],
        help='of ImageSets/Main (default: train val test)',
    )
    add('--classes', nargs='+', default=list(ANIMALS), help='default: %(default)s')
    add(
        '--context',
        type=float,
        default=1.5,
        help='sides of a crop over those of its box (default: %(default)s)',
    )
    add(
        '--min-side',
        type=float,
        default=32.0,
        help='shortest side of a box in pixels (default: %(default)s)',
    )
    args = parser.parse_args(argv)
    if args.context < 1:
        parser.error(f'--context must be at least 1, got {args.context}')
    if len(set(args.classes)) < len(args.classes):
        parser.error('--classes names a class twice')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileExistsError: If the folder exists.
        FileNotFoundError: If the data are not there.
        ValueError: If there is nothing to crop.
    """
    args = parse_args(argv)
    settings = CropSettings(tuple(args.classes), args.context, args.min_side)
    counts = write_crops(args.root, args.out, args.splits, settings)
    crops = ', '.join(f'{count} of {split}' for split, count in counts.items())
    print(f'Crops: {crops}, in {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
