"""Write scikit-learn's handwritten digits as images for classifiers; no download.

python tools/dataset_converters/make_glyphs.py

Each of the 1,797 digits of 8 × 8 px becomes an RGB image of 32 × 32 px in
OUT/SPLIT/LABEL/. No writer is in two splits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import mmcv
import numpy as np

from mmmix.apis.run_command import run_command
from mmmix.layouts.writing import whole_folder
from mmmix.testing.digits.sources import handwriting, samples_of

SIDE = 32


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--out', type=Path, default=Path('data/glyphs'), help='default: %(default)s'
    )
    return parser.parse_args(argv)


def glyph(sample: int) -> np.ndarray:
    """The image of a source digit, ``(32, 32, 3)`` uint8, white on black."""
    grey = cv2.resize(handwriting(sample), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.repeat((255 * grey.clip(0, 1)).round().astype(np.uint8)[..., None], 3, 2)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        FileExistsError: If the folder exists.
        ImportError: If scikit-learn is missing.
    """
    args = parse_args(argv)
    counts = dict.fromkeys(('train', 'val', 'test'), 0)
    with whole_folder(args.out) as draft:
        for split in counts:
            for label in range(10):
                for sample in samples_of(split, label):
                    path = draft / split / str(label) / f'{sample:04d}.png'
                    mmcv.imwrite(glyph(int(sample)), str(path))
                    counts[split] += 1
    for split, count in counts.items():
        print(f'{split}: {count} digits in {args.out / split}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
