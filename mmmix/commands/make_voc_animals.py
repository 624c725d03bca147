"""Make the photographs of configs/photos from VOC2012.

python tools/dataset_converters/make_voc_animals.py data/VOCdevkit/VOC2012
python tools/dataset_converters/make_voc_animals.py data/VOCdevkit/VOC2012 \
    --drawn cartoon --out data/voc-animals_cartoon
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mmmix.apis.arguments import COUNT
from mmmix.apis.configs.config_path import config_root
from mmmix.apis.run_command import run_command
from mmmix.datasets.voc_animals import write_animals


def cartoon(image: np.ndarray) -> np.ndarray:
    """A photograph ((H, W, 3), uint8) as flat colours with edges."""
    return cv2.stylization(image, sigma_s=60, sigma_r=0.45)


def pencil(image: np.ndarray) -> np.ndarray:
    """A photograph ((H, W, 3), uint8) as a grey pencil drawing."""
    grey, _ = cv2.pencilSketch(image, sigma_s=60, sigma_r=0.07, shade_factor=0.05)
    return np.repeat(grey[..., None], 3, axis=2)


DRAWN = {'cartoon': cartoon, 'pencil': pencil}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Write 2,300 photographs of VOC2012 with the boxes of six classes, '
        'their longer side 256 px, as configs/photos/voc-animals lists them.',
    )
    add = parser.add_argument
    add('voc', type=Path, help='the folder VOC2012 of the VOC devkit')
    add(
        '--out',
        type=Path,
        default=Path('data/voc-animals'),
        help='default: %(default)s',
    )
    add('--side', type=COUNT, default=256, help='pixels (default: %(default)s)')
    add(
        '--drawn',
        choices=tuple(DRAWN),
        help="turn photographs into drawings by OpenCV's filters: another domain",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data."""
    args = parse_args(argv)
    lists = sorted((config_root() / 'photos' / 'voc-animals').glob('*.txt'))
    pixels = {'pixels': DRAWN[args.drawn]} if args.drawn else {}
    count = write_animals(args.voc, lists, args.out, args.side, tqdm, **pixels)
    print(f'{count} photographs written to {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
