"""Cut objects of a data set in VOC layout out of their photographs.

python tools/dataset_converters/make_object_patches.py data/voc-animals \
    --split train --without configs/photos/voc-animals/train300.txt \
    --out data/animal_patches

Patches for tools/analysis_tools/transplant.py: the largest whole objects of each class,
their outline found by OpenCV's GrabCut from the box alone. Name in --without the
lists of images that the models were trained on; a test image in front of which its own
object is pasted would be no better. Look at the patches before you use them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmmix.apis.arguments import COUNT
from mmmix.apis.run_command import run_command
from mmmix.datasets.object_patches import write_patches
from mmmix.datasets.voc_animals import CLASSES


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('root', type=Path, help='with JPEGImages, Annotations and ImageSets/Main')
    add('--out', type=Path, required=True, help='folder to make')
    add('--split', default='train', help='of ImageSets/Main (default: %(default)s)')
    add('--classes', nargs='+', default=list(CLASSES), help='default: %(default)s')
    add('--count', type=COUNT, default=3, help='of each class (default: %(default)s)')
    add(
        '--min-side',
        type=float,
        default=64.0,
        help='shortest side of a box in pixels (default: %(default)s)',
    )
    add(
        '--without',
        type=Path,
        nargs='+',
        default=[],
        metavar='LIST',
        help='files with ids of images to leave out, one a line',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileExistsError: If the folder exists.
        FileNotFoundError: If data or a list are not there.
        ValueError: If there is nothing to cut out.
    """
    args = parse_args(argv)
    for path in args.without:
        if not path.is_file():
            raise FileNotFoundError(f'--without {path}: there is no such file')
    ids = [
        name
        for path in args.without
        for name in path.read_text(encoding='utf-8').split()
    ]
    counts = write_patches(
        args.root, args.out, args.split, args.classes, args.count, args.min_side, ids
    )
    patches = ', '.join(f'{count} of {name}' for name, count in counts.items())
    print(f'Patches: {patches}, in {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
