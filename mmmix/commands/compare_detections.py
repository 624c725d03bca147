r"""Draw the detections of several models beside the annotations.

One picture with a row per image and a column per model, as in BoxMix, figures 4 to 6,
and LossMix, figure 7. Detections that are wrong (class, or IoU below 0.5, or an object
that a surer one found) have dashed frames, and so have annotations to ignore. Images
are spread evenly over the data set, those on which the models differ most in their
number of right detections, given by id, or those of a folder; perturbed as well, if
--perturbations says how. See
docs/studies/side_by_side.md.

Example:
  compare_detections.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      boxmix=configs/demo/ssd_digits_boxmix.py@boxmix.pth \
      --choose differ --num-images 6 --out work_dirs/side_by_side
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.dataset import BaseDataset
from mmengine.utils import ProgressBar

from mmmix.apis.arguments import COUNT, SCORE
from mmmix.apis.run_command import run_command
from mmmix.studies.trained.calibration import find_right
from mmmix.studies.trained.images.outside import folder_images, read_image
from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.images.truth import blank_info, objects_of
from mmmix.studies.trained.models.arguments import add_model_arguments
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.models.prediction import batches, predict
from mmmix.studies.trained.results.figures import save
from mmmix.studies.trained.robustness.perturbations import parse_perturbations
from mmmix.studies.trained.side_by_side import (
    Row,
    detection_column,
    draw,
    most_different,
    numbered,
    perturb,
    truth_column,
)
from mmmix.studies.trained.sweep import Image


def make_parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        '--choose',
        choices=('even', 'differ'),
        default='even',
        help='which images; "differ" runs the models on all of them (default: even)',
    )
    which.add_argument('--ids', nargs='+', help='ids of images of the data set')
    which.add_argument('--folder', type=Path, help='images without annotations')
    add('--num-images', type=COUNT, default=6, help='rows (default: 6)')
    add('--score-thr', type=SCORE, default=0.3, help='least score (default: 0.3)')
    add(
        '--perturbations',
        nargs='+',
        default=[],
        metavar='KIND[:LEVEL,...]',
        help='more rows per image, as in robustness.py: gaussian:0.1,0.4',
    )
    return parser


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser()
    args = parser.parse_args(argv)
    try:
        args.perturbations = parse_perturbations(args.perturbations)
    except ValueError as error:
        parser.error(str(error))
    if any(perturbation.kind == 'fgsm' for perturbation in args.perturbations):
        parser.error('--perturbations: fgsm is another image for each model')
    return args


def evenly(total: int, count: int) -> list[int]:
    """Indices spread evenly over ``total`` images."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist()


def indices_of(ids: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[int]:
    """Places of the images with these ids.

    Raises:
        KeyError: If there is no image of an id.
    """
    places = {str(info['img_id']): place for place, info in enumerate(infos)}
    missing = [img_id for img_id in ids if img_id not in places]
    if missing:
        raise KeyError(f'no images {missing}; ids are such as {list(places)[:3]}')
    return [places[img_id] for img_id in ids]


def all_right(
    detectors: Sequence[LoadedDetector],
    infos: Sequence[Mapping[str, Any]],
    args: argparse.Namespace,
) -> np.ndarray:
    """Number of right detections of each model on each image."""
    counts = np.zeros((len(detectors), len(infos)))
    bar = ProgressBar(counts.size)
    for part in batches(len(infos), args.batch_size):
        images = [detectors[0].read_image(infos[i]) for i in part]
        for of_model, detector in zip(counts, detectors):
            found = predict(detector, images, [infos[i] for i in part], len(part))
            for index, sample in zip(part, found):
                shown = sample.pred_instances
                shown = shown[shown.scores >= args.score_thr]
                of_model[index] = find_right(shown, *objects_of(infos[index]))[0].sum()
            bar.update(len(part))
    bar.file.write('\n')
    return counts


def chosen_images(
    args: argparse.Namespace,
    detectors: Sequence[LoadedDetector],
    dataset: BaseDataset,
) -> list[Image]:
    """The images to draw, with their infos."""
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    if args.ids:
        chosen = indices_of(args.ids, infos)
    elif args.choose == 'differ':
        chosen = most_different(all_right(detectors, infos, args), args.num_images)
    else:
        chosen = evenly(len(infos), args.num_images)
    return [(detectors[0].read_image(infos[i]), infos[i]) for i in chosen]


def images_of_folder(folder: Path, count: int, written: Path) -> list[Image]:
    """Images of a folder but the one written, spread evenly, without objects."""
    paths = folder_images(folder, written)
    paths = [paths[i] for i in evenly(len(paths), count)]
    images = [(read_image(path), path.name) for path in paths]
    return [(image, blank_info(name, image.shape[:2])) for image, name in images]


def make_rows(
    images: Sequence[tuple[np.ndarray, Mapping[str, Any], str]],
    found: Sequence[Sequence[DetDataSample]],
    args: argparse.Namespace,
) -> list[Row]:
    """A row per image: the annotations, if there are any, and each model."""
    rows = []
    for (image, info, name), samples in zip(images, zip(*found)):
        truth = None if args.folder else objects_of(info)
        columns = [] if truth is None else [truth_column(*truth)]
        columns += [
            detection_column(sample.pred_instances, truth, args.score_thr)
            for sample in samples
        ]
        rows.append(Row(image, name, columns))
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    path = args.out / 'side_by_side.png'
    detectors = load_detectors(args, boxes=True)
    if args.folder:
        images = images_of_folder(args.folder, args.num_images, path)
    else:
        dataset = build_split(detectors[0], args.split, args.limit)
        images = chosen_images(args, detectors, dataset)
    images = perturb(images, args.perturbations, detectors[0])
    pixels, infos, _ = zip(*images)
    found = [predict(d, pixels, infos, args.batch_size) for d in detectors]
    rows = make_rows(images, found, args)
    titles = [] if args.folder else ['annotations']
    titles += numbered([detector.name for detector in detectors])
    save(draw(rows, titles, detectors[0].classes), path)
    print(f'{len(rows)} rows, detections of {args.score_thr:g} and more: {path}')


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
