r"""Would other test images tell the same of these models?

VOC's mAP (IoU 0.5, 11 recalls) of each method, the mean over its seeds, and its
difference to the first method, with 95 % intervals of a bootstrap over the images:
every resample holds the same images for all models, so that differences are paired.
Seeds stay as they are: what another training would give is study.py's question. Writes
image_intervals.md and .csv to --out; the same command goes on after the last finished
model. See docs/studies/image_intervals.md.

Example:
  image_intervals.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      boxmix=configs/demo/ssd_digits_boxmix.py@boxmix.pth --out work_dirs/intervals
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.dataset import BaseDataset

from mmmix.apis.arguments import SEED
from mmmix.apis.reporting import markdown_table
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.score_cuts import say_cuts
from mmmix.studies.trained.image_bootstrap import (
    class_hits,
    found_in,
    mean_precision,
    resamples,
)
from mmmix.studies.trained.images.decoded import MEMORY, DecodedImages
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.tables import group, write_csv
from mmmix.studies.trained.sweep import EachImage, sweep

COLUMNS = ('model', 'seeds', 'mAP', 'low', 'high', 'Δ mAP', 'Δ low', 'Δ high')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add('--resamples', type=int, default=1000, help='default: 1000')
    add('--seed', type=SEED, default=0, help='of the resamples (default: 0)')
    args = parser.parse_args(argv)
    if args.resamples < 100:
        parser.error('--resamples must be at least 100')
    return args


def image_set(dataset: BaseDataset, reader: LoadedDetector) -> EachImage:
    """The images; kept is what was found in each."""
    images = DecodedImages(reader, dataset, MEMORY)
    classes = len(reader.classes)

    def found(sample: DetDataSample, index: int) -> Any:
        return found_in(sample, objects_of(dataset.get_data_info(index)), classes)

    return EachImage(len(images), images.__getitem__, found)


def objects_by_class(dataset: BaseDataset, classes: int) -> list[list[int]]:
    """Of each image, its number of objects of each class."""
    truths = (
        objects_of(dataset.get_data_info(index))[0] for index in range(len(dataset))
    )
    return [np.bincount(truth.labels, minlength=classes).tolist() for truth in truths]


def intervals(scores: dict[str, list[np.ndarray]]) -> list[dict[str, Any]]:
    """A row for each method.

    Args:
        scores: By method, of each seed its mAP: first that of the images as they are,
            then of each resample.
    """
    means = {name: np.mean(seeds, axis=0) for name, seeds in scores.items()}
    base = next(iter(means.values()))
    rows = []
    for name, mean in means.items():
        row = dict(model=name, seeds=len(scores[name]), **_bounds(mean, ''))
        rows.append(row | (_bounds(mean - base, 'Δ ') if mean is not base else {}))
    return rows


def _bounds(values: np.ndarray, prefix: str) -> dict[str, float]:
    # A resample of images without objects has no mAP.
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    names = (f'{prefix}{name}' for name in ('mAP', 'low', 'high'))
    return dict(zip(names, map(float, (values[0], low, high))))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown."""

    def text(row: dict[str, Any], prefix: str, sign: str) -> str:
        if f'{prefix}mAP' not in row:
            return ''
        mean, low, high = (row[f'{prefix}{name}'] for name in ('mAP', 'low', 'high'))
        return f'{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]'

    header = ['model', 'seeds', 'mAP', 'Δ mAP']
    cells = [
        [row['model'], str(row['seeds']), text(row, '', ''), text(row, 'Δ ', '+')]
        for row in rows
    ]
    return markdown_table(header, cells)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args, boxes=True)
    say_cuts(detectors[0].cfg, args.cfg_options or (), len(detectors))
    dataset = build_split(detectors[0], args.split, args.limit)
    store = ResultStore(args.out / 'results.json', split_settings(args, dataset))
    images = {args.split: image_set(dataset, detectors[0])}
    kept = sweep(detectors, images, store, args.batch_size, apart=True)
    objects = objects_by_class(dataset, len(detectors[0].classes))
    drawn = resamples(len(dataset), args.resamples, args.seed)
    weights = np.vstack([np.ones(len(dataset)), drawn])
    scores = group(
        [
            (
                detector.name,
                mean_precision(class_hits(of[args.split], objects), weights),
            )
            for detector, of in zip(detectors, kept)
        ]
    )
    rows = intervals(scores)
    title = (
        f'mAP on {len(dataset)} {args.split} images, mean over seeds, with 95 % '
        f'intervals over {args.resamples} resamples of the images'
    )
    text = f'{title}\n\n{table(rows)}\n'
    print(text)
    (args.out / 'image_intervals.md').write_text(text, encoding='utf-8')
    write_csv(args.out / 'image_intervals.csv', rows, list(COLUMNS))


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
