r"""Is a detection of score 0.8 right four times out of five?

Detections of --min-score and more are compared with the annotations as VOC's mAP
does. The detection calibration error (D-ECE, Küppers et al., CVPRW 2020) is the mean
distance of score and precision over bins of the score, or with --dimensions of score,
position and size of the box. Writes calibration.md, .csv and .png (a reliability
diagram) to --out; the same command goes on after the last finished model. See
docs/studies/calibration.md.

Example:
  calibration.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      boxmix=configs/demo/ssd_digits_boxmix.py@boxmix.pth --ious 0.5 0.75 \
      --out work_dirs/calibration
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from mmdet.structures import DetDataSample
from mmengine.dataset import BaseDataset

from mmmix.apis.arguments import COUNT, SCORE, each_once
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.trained.calibration import (
    DIMENSIONS,
    Verdicts,
    detection_calibration_error,
    find_verdicts,
    gather,
    reliability,
)
from mmmix.studies.trained.images.decoded import MEMORY, DecodedImages
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.results.figures import grid, save
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.summary import summarise, write_summary
from mmmix.studies.trained.results.tables import group
from mmmix.studies.trained.sweep import EachImage, sweep

METRICS = ['detections', 'mean score', 'precision', 'score - precision', 'D-ECE']


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        '--ious',
        nargs='+',
        type=float,
        default=[0.5],
        help='of right detections (default: 0.5)',
    )
    add('--bins', type=COUNT, default=20, help='of each dimension (default: 20)')
    add(
        '--dimensions',
        nargs='+',
        choices=DIMENSIONS,
        default=['score'],
        help='(default: score)',
    )
    add(
        '--min-score',
        type=SCORE,
        default=0.3,
        help='leave out detections below (default: 0.3)',
    )
    add(
        '--min-count',
        type=COUNT,
        default=1,
        help='leave bins of the D-ECE with fewer detections out; about 8 is usual '
        'with several dimensions (default: 1)',
    )
    args = parser.parse_args(argv)
    if not all(0 < iou <= 1 for iou in args.ious):
        parser.error(f'--ious must lie in (0, 1], got {args.ious}')
    args.ious = each_once(args.ious, '--ious')
    return args


def image_set(
    args: argparse.Namespace, dataset: BaseDataset, reader: LoadedDetector
) -> EachImage:
    """The images; kept are the verdicts on the detections at each IoU."""
    images = DecodedImages(reader, dataset, MEMORY)

    def measure(sample: DetDataSample, index: int) -> list[list]:
        truth = objects_of(dataset.get_data_info(index))
        # A detection below the limit cannot take an object from one above.
        found = sample.pred_instances[sample.pred_instances.scores >= args.min_score]
        kept = []
        for iou in args.ious:
            verdicts = find_verdicts(found, *truth, sample.ori_shape, iou)
            kept.append([verdicts.values.tolist(), verdicts.right.tolist()])
        return kept

    return EachImage(len(images), images.__getitem__, measure)


def verdicts_at(kept: Sequence[Sequence[list]], position: int) -> Verdicts:
    """The verdicts of all images at one of the IoUs, from what was stored."""
    stored = [of_image[position] for of_image in kept]
    return gather(
        [Verdicts(np.reshape(v, (-1, 5)), np.array(r, bool)) for v, r in stored]
    )


def numbers(verdicts: Verdicts, args: argparse.Namespace) -> dict[str, float]:
    """The metrics of a model; NaN without detections."""
    count = len(verdicts.right)
    score, precision = (
        float(np.mean(values)) if count else float('nan')
        for values in (verdicts.values[:, 0], verdicts.right)
    )
    error = detection_calibration_error(
        verdicts, args.bins, args.dimensions, args.min_count
    )
    return dict(
        zip(METRICS, (float(count), score, precision, score - precision, error))
    )


def draw_reliability(panel: Axes, runs: Sequence[Verdicts], bins: int) -> None:
    """Precision over score, and the share of detections, of all seeds together."""
    diagram = reliability(gather(runs), bins)
    filled = diagram.counts > 0
    width = np.diff(diagram.edges)
    left, counts = diagram.edges[:-1][filled], diagram.counts[filled]
    panel.bar(
        left,
        diagram.precision[filled],
        width[filled],
        align='edge',
        edgecolor='white',
        label='precision',
    )
    share = counts / max(counts.sum(), 1)
    panel.step(left + width[filled] / 2, share, 'grey', where='mid', label='share')
    panel.plot([0, 1], [0, 1], 'k--', linewidth=0.8, label='calibrated')
    panel.set(xlabel='score', xlim=(0, 1), ylim=(0, 1))


def plot(verdicts: Sequence[tuple[Any, Verdicts]], bins: int, path: Path) -> None:
    """Reliability diagrams: a row per IoU, a column per method."""
    panels = group(verdicts)
    ious, names = (list(dict.fromkeys(column)) for column in zip(*panels))
    figure, axes = grid(len(ious), len(names), 3.4, 3.2)
    for (iou, name), runs in panels.items():
        panel = axes[ious.index(iou)][names.index(name)]
        draw_reliability(panel, runs, bins)
        panel.set_title(f'{name}, IoU {iou:g}')
    axes[0][0].legend(loc='upper left')
    save(figure, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args, boxes=True)
    dataset = build_split(detectors[0], args.split, args.limit)
    settings = dict(
        **split_settings(args, dataset),
        ious=args.ious,
        min_score=args.min_score,
    )
    store = ResultStore(args.out / 'results.json', settings)
    sets = {args.split: image_set(args, dataset, detectors[0])}
    kept = sweep(detectors, sets, store, args.batch_size, apart=True)
    verdicts = [
        ((iou, detector.name), verdicts_at(of[args.split], k))
        for detector, of in zip(detectors, kept)
        for k, iou in enumerate(args.ious)
    ]
    records = [
        {'IoU': f'{iou:g}', 'model': name} | numbers(values, args)
        for (iou, name), values in verdicts
    ]
    rows = summarise(records, ['IoU'], METRICS)
    title = (
        f'Calibration on {len(dataset)} {args.split} images: detections of score '
        f'{args.min_score:g} and more, {args.bins} bins of {", ".join(args.dimensions)}'
    )
    print(write_summary(args.out, 'calibration', title, rows, ['IoU'], METRICS))
    plot(verdicts, args.bins, args.out / 'calibration.png')
    print(f'Tables and calibration.png: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
