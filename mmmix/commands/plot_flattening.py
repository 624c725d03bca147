r"""How flat are a detector's representations of a class?

As in BoxMix, figure 7, images are grouped by their most frequent class. Of each group,
and of all images together, the class logits of all anchors of a level make one vector
per image; the number is the share of their variance that the first principal component
explains. More is flatter. Writes flattening.md, .csv and .png, the difference to the
first method, to --out; the same command goes on after the last finished model. See
docs/studies/flattening.md.

Example:
  plot_flattening.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      boxmix=configs/demo/ssd_digits_boxmix.py@boxmix.pth \
      --classes one seven --out work_dirs/flattening
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.utils import ProgressBar

from mmmix.apis.arguments import COUNT
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.trained.flattening import explained_variance, images_by_label
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.fingerprint import fingerprint
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.representations import level_grams
from mmmix.studies.trained.results.figures import bars, grid, save
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.summary import summarise, write_summary
from mmmix.studies.trained.sweep import Image

ALL = 'all classes'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        '--size',
        nargs=2,
        type=COUNT,
        metavar=('WIDTH', 'HEIGHT'),
        help='first stretch all images to this size, for detectors whose pipeline '
        'keeps the shape of images',
    )
    add('--classes', nargs='+', help='classes of the figure (default: all)')
    return parser.parse_args(argv)


def groups_of(dataset: BaseDataset, classes: Sequence[str]) -> dict[str, list[int]]:
    """Indices of the images of each class, and of all images."""
    truth = (objects_of(dataset.get_data_info(i))[0] for i in range(len(dataset)))
    groups = images_by_label([objects.labels.tolist() for objects in truth])
    named = {classes[label]: images for label, images in groups.items()}
    return {**named, ALL: list(range(len(dataset)))}


def measure(
    detector: LoadedDetector,
    dataset: BaseDataset,
    groups: Mapping[str, Sequence[int]],
    args: argparse.Namespace,
) -> dict[str, list[float | None]]:
    """Explained variance by group and level; None where it cannot be told."""

    def image(index: int) -> Image:
        info = dataset.get_data_info(index)
        pixels = detector.read_image(info)
        return (mmcv.imresize(pixels, args.size) if args.size else pixels), info

    bar = ProgressBar(len(dataset))
    grams = level_grams(detector, len(dataset), image, args.batch_size, bar.update)
    bar.file.write('\n')
    return {
        name: [_or_none(explained_variance(gram, images)) for gram in grams]
        for name, images in groups.items()
    }


def measure_all(
    args: argparse.Namespace,
    detectors: Sequence[LoadedDetector],
    dataset: BaseDataset,
    groups: Mapping[str, Sequence[int]],
) -> list[dict[str, list[float | None]]]:
    """What :func:`measure` gives for each model, stored model by model."""
    settings = dict(
        **split_settings(args, dataset),
        size=args.size,
    )
    store = ResultStore(args.out / 'results.json', settings)
    keys = [fingerprint(detector) for detector in detectors]
    for number, (key, detector) in enumerate(zip(keys, detectors), 1):
        if key not in store:
            print(f'[{number}/{len(detectors)}] {detector.spec}', flush=True)
            store[key] = measure(detector, dataset, groups, args)
    return [store[key] for key in keys]


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def plot(rows: Sequence[dict], classes: Sequence[str], path: Path) -> None:
    """Bars of the difference to the first method: a panel per method."""
    models = list(dict.fromkeys(row['model'] for row in rows))
    metrics = [key for key in rows[0] if key.startswith('A')]
    # A single method is shown as it is.
    shown, prefix = (models[1:], 'Δ ') if len(models) > 1 else (models, '')
    names = [*classes, ALL]
    values = {(row['model'], row['class']): row for row in rows}
    figure, axes = grid(len(shown), 1, 4 + 0.06 * len(names) * len(metrics), 3.2)
    for model, (panel,) in zip(shown, axes):
        cells = [[values[model, n][prefix + m] for m in metrics] for n in names]
        means, spreads = (
            np.array([[getattr(cell, kind) for cell in row] for row in cells], float)
            for kind in ('mean', 'std')
        )
        bars(panel, means, spreads, names, metrics)
        title = f'{model} - {models[0]}' if prefix else model
        panel.set(title=title, ylabel=f'{prefix}explained variance')
    save(figure, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Raises:
        ValueError: If ``--classes`` has a name that no image has as its class.
    """
    args = parse_args(argv)
    detectors = load_detectors(args, boxes=True)
    dataset = build_split(detectors[0], args.split, args.limit)
    groups = groups_of(dataset, detectors[0].classes)
    chosen = args.classes or [name for name in groups if name != ALL]
    if not set(chosen) <= set(groups):
        raise ValueError(
            f'--classes: expected names among {list(groups)}, got {chosen}'
        )
    parts = measure_all(args, detectors, dataset, groups)
    records = [
        {'model': detector.name, 'class': name, 'images': str(len(groups[name]))}
        | {f'A{k}': value for k, value in enumerate(levels, 1)}
        for detector, part in zip(detectors, parts)
        for name, levels in part.items()
    ]
    metrics = [f'A{k + 1}' for k in range(max(len(p[ALL]) for p in parts))]
    conditions = ['class', 'images']
    rows = summarise(records, conditions, metrics)
    title = (
        'Variance of the class logits that the first principal component explains, '
        f'by level, on {len(dataset)} {args.split} images'
    )
    print(write_summary(args.out, 'flattening', title, rows, conditions, metrics))
    plot(rows, chosen, args.out / 'flattening.png')
    print(f'Tables and flattening.png: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
