r"""Does a model know images of nothing from images of its data set?

The score of an image is its highest detection score, 0 without a detection; of a
classifier, the largest probability of a class. With it images of the data set are told
from noise, and from folders of other images: true negative rate at 95 % true positive
rate, AUROC and detection accuracy (CutMix suppl. E.2, carried to detectors). Writes
uncertainty.md, .csv and .png to --out; the same command goes on where it was
interrupted. See docs/studies/uncertainty.md.

Example:
  uncertainty.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      lossmix=configs/demo/ssd_digits_lossmix.py@lossmix.pth \
      --outside textures=data/textures --out work_dirs/uncertainty
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from mmmix.apis.arguments import SEED
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.digests import digest
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.outside import (
    NOISES,
    folder_images,
    noise_image,
    read_image,
)
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.images.truth import blank_info
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.outliers import auroc, detection_accuracy, tnr_at_tpr
from mmmix.studies.trained.results.figures import grid, save
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.summary import summarise, write_summary
from mmmix.studies.trained.results.tables import group
from mmmix.studies.trained.sweep import EachImage, Image, sweep

PICTURE = 'uncertainty.png'
MEASURES = {
    'TNR at 95 % TPR': tnr_at_tpr,
    'AUROC': auroc,
    'detection accuracy': detection_accuracy,
}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        '--noise',
        nargs='*',
        choices=NOISES,
        default=list(NOISES),
        help='(default: all)',
    )
    add(
        '--outside',
        nargs='+',
        default=[],
        metavar='[NAME=]FOLDER',
        help='folders of images that show no object of the data set',
    )
    add('--seed', type=SEED, default=0, help='of the noise (default: 0)')
    args = parser.parse_args(argv)
    pairs = [text.rpartition('=') for text in args.outside]
    args.outside = {name or Path(path).name: path for name, _, path in pairs}
    taken = {args.split, *args.noise} & set(args.outside)
    if taken or len(args.outside) < len(pairs):
        parser.error('--outside: give folders names of their own, as NAME=FOLDER')
    if not args.noise and not args.outside:
        parser.error('nothing to compare with: give --noise or --outside')
    return args


def outside_images(args: argparse.Namespace) -> dict[str, list[Path]]:
    """The images of each folder of ``--outside``."""
    return {
        name: folder_images(folder, args.out / PICTURE)[: args.limit]
        for name, folder in args.outside.items()
    }


def image_sets(
    args: argparse.Namespace,
    dataset: BaseDataset,
    reader: LoadedDetector,
    folders: Mapping[str, Sequence[Path]],
) -> dict[str, EachImage]:
    """The data set's images, then those outside it; noise has the images' sizes."""
    images = DecodedImages(reader, dataset, budget=0)

    def top_score(sample: Any, _: int) -> float:
        return reader.top_score(sample)

    def noise(kind: str, index: int) -> Image:
        info = dataset.get_data_info(index)
        if 'height' not in info:  # of a classifier's data set
            info = dict(zip(('height', 'width'), images[index][0].shape))
        shape = (info['height'], info['width'])
        name = f'{kind} noise {index}'
        return noise_image(kind, shape, index, args.seed), blank_info(name, shape)

    def outside(paths: Sequence[Path], index: int) -> Image:
        image = reader.in_own_order(read_image(paths[index]))
        return image, blank_info(str(paths[index]), image.shape[:2])

    sets = {args.split: EachImage(len(images), images.__getitem__, top_score)}
    for kind in args.noise:
        sets[kind] = EachImage(len(dataset), partial(noise, kind), top_score)
    for name, paths in folders.items():
        sets[name] = EachImage(len(paths), partial(outside, paths), top_score)
    return sets


def plot(scores: Sequence[tuple[str, dict[str, list[float]]]], path: Path) -> None:
    """Histograms of the scores, a panel per method, all its seeds together."""
    methods = group(scores)
    figure, axes = grid(1, len(methods), 4.2, 3.2)
    for panel, (name, runs) in zip(axes[0], methods.items()):
        for kind in runs[0]:
            values = np.concatenate([run[kind] for run in runs])
            weights = np.full(len(values), 1 / len(values))
            panel.hist(
                values, np.linspace(0, 1, 41), weights=weights, alpha=0.5, label=kind
            )
        panel.set(title=name, xlabel='highest score', ylabel='share')
        panel.legend()
    save(figure, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args)
    dataset = build_split(detectors[0], args.split, args.limit)
    folders = outside_images(args)
    settings = dict(
        **split_settings(args, dataset),
        seed=args.seed,
        outside={
            name: f'{len(paths)} images of {Path(args.outside[name]).resolve()}'
            for name, paths in folders.items()
        },
        files=digest(
            repr((name, path.name, path.stat().st_size)).encode()
            for name, paths in folders.items()
            for path in paths
        ),
    )
    store = ResultStore(args.out / 'results.json', settings)
    sets = image_sets(args, dataset, detectors[0], folders)
    kept = sweep(detectors, sets, store, args.batch_size)
    scores = [(detector.name, of) for detector, of in zip(detectors, kept)]
    records = [
        {'model': name, 'against': other}
        | {key: f(of[args.split], of[other]) for key, f in MEASURES.items()}
        for name, of in scores
        for other in list(sets)[1:]
    ]
    rows = summarise(records, ['against'], list(MEASURES))
    title = f'Telling {len(dataset)} {args.split} images from others by their score'
    print(write_summary(args.out, 'uncertainty', title, rows, ['against'], MEASURES))
    plot(scores, args.out / PICTURE)
    print(f'Tables and {PICTURE}: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
