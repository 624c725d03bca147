"""Split a training set of COCO or VOC format into labelled and unlabelled images.

python tools/dataset_converters/split_semi.py \
    data/coco/annotations/instances_train2017.json --out data/coco/semi_anns \
    --soft-teacher
python tools/dataset_converters/split_semi.py data/digits/ImageSets/Main/train.txt \
    --percents 5 --folds 1
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from mmmix.apis.run_command import run_command
from mmmix.datasets.semi_split import SplitSettings, read_annotations, write_split
from mmmix.layouts.writing import check_writable


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Split a training set into a labelled and an unlabelled part. '
        'Fold 3 with 10 % of train.json becomes train.3@10.json and '
        'train.3@10-unlabeled.json; images stay where they are.',
    )
    parser.add_argument(
        'ann_file', type=Path, help='COCO annotations (.json) or a VOC list (.txt)'
    )
    parser.add_argument(
        '--out', type=Path, help='folder to write (default: that of ann_file)'
    )
    parser.add_argument(
        '--percents',
        type=float,
        nargs='+',
        default=[1, 2, 5, 10],
        metavar='P',
        help='how many of the images are labelled (default: 1 2 5 10)',
    )
    parser.add_argument(
        '--folds',
        type=int,
        nargs='+',
        default=[1, 2, 3, 4, 5],
        metavar='F',
        help='each fold is a draw of its own, seeded by its number '
        '(default: 1 2 3 4 5)',
    )
    parser.add_argument(
        '--soft-teacher',
        action='store_true',
        help='draw with repetition, which gives the very splits of SoftTeacher and of '
        "mmdet's split_coco.py; slightly fewer images than P %% are then labelled",
    )
    parser.add_argument(
        '--keep-labels',
        action='store_true',
        help='leave the boxes in the unlabelled part of a COCO set, to judge '
        'pseudo-labels by; the files are then as large as the original',
    )
    parser.add_argument('--force', action='store_true', help='replace existing files')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write every split.

    Raises:
        FileExistsError: If a file exists already, before anything is written.
        FileNotFoundError, ValueError: If the annotations are not there, or cannot be
            split so.
        OSError: If a file cannot be written.
    """
    args = parse_args(argv)
    out = args.out or args.ann_file.parent
    splits = [
        SplitSettings(percent, fold, args.soft_teacher, args.keep_labels)
        for percent in args.percents
        for fold in args.folds
    ]
    targets = [out / name for split in splits for name in split.names(args.ann_file)]
    present = [str(path) for path in targets if path.exists()]
    if present and not args.force:
        raise FileExistsError(
            f'{len(present)} of {len(targets)} files exist already, such as '
            f'{present[0]}; give another --out, or --force to replace them'
        )
    check_writable(targets)
    print(f'reading {args.ann_file}')
    content = read_annotations(args.ann_file)
    for split in tqdm(splits, unit='split'):
        sizes = write_split(content, args.ann_file, out, split)
        tqdm.write(
            f'{split.percent:g} %, fold {split.fold}: {sizes[0]} labelled and '
            f'{sizes[1]} unlabelled images'
        )
    print(f'{len(targets)} files written to {out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
