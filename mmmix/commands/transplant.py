r"""Do detectors find an object that was pasted where it does not belong?

Each image gets a random patch: an object cut out of another picture, at a random
size and place (BoxMix, section 4.3 and table 4). Patches are PNG or WebP files
with transparency, in a folder per class; tools/dataset_converters/make_digit_patches.py
makes some for the digits. Several copies of the images get patches of their own, the
same for all models and in every run.

Writes transplant.md, .csv and .png, and patched.png with the detections on the first
images, to --out; the same command goes on where it was interrupted. See
docs/studies/transplantation.md.

Example:
  transplant.py baseline=configs/demo/ssd_digits.py@baseline.pth \
      boxmix=configs/demo/ssd_digits_boxmix.py@boxmix.pth \
      --patches data/digit_patches --out work_dirs/transplant
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmix.apis.arguments import COUNT, SCORE, SEED, each_once
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.datasets.transforms import TransplantPatch
from mmmix.datasets.transforms.transplant_patch import MEASURES
from mmmix.studies.score_cuts import say_cuts
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.images.truth import objects_of
from mmmix.studies.trained.models.arguments import (
    add_cache_argument,
    add_model_arguments,
)
from mmmix.studies.trained.models.loaded_detector import LoadedDetector
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.results.figures import grid, save
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.results.summary import MODEL, summarise, write_summary
from mmmix.studies.trained.side_by_side import (
    Row,
    detection_column,
    draw,
    numbered,
    truth_column,
)
from mmmix.studies.trained.sweep import sweep
from mmmix.studies.trained.transplantation import (
    METRICS,
    PatchedCopy,
    PatchedSet,
    averaged,
    patches_digest,
    voc_mode,
)

CONDITION = 'IoU'


def make_parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        '--patches',
        type=Path,
        required=True,
        metavar='DIR',
        help='has a folder per class, with pictures that have transparency',
    )
    add('--copies', type=COUNT, default=5, help='of the images (default: 5)')
    add(
        '--share',
        type=float,
        nargs=2,
        default=(0.1, 0.4),
        metavar=('LOW', 'HIGH'),
        help='of the image that a patch takes (default: 0.1 0.4)',
    )
    add(
        '--measure',
        choices=MEASURES,
        default='area',
        help="share of the image's area (default), or of its side",
    )
    add('--ious', type=float, nargs='+', default=[0.5, 0.75], help='default: 0.5 0.75')
    add('--score-thr', type=SCORE, default=0.3, help='least score (default: 0.3)')
    add('--seed', type=SEED, default=0, help='of all patches (default: 0)')
    add('--num-images', type=COUNT, default=4, help='rows of patched.png (default: 4)')
    add_cache_argument(parser, 'copy')
    return parser


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser()
    args = parser.parse_args(argv)
    args.ious = each_once(args.ious, '--ious')
    return args


def draw_first(
    detectors: Sequence[LoadedDetector], copy: PatchedCopy, args: argparse.Namespace
) -> None:
    """Draw the first images of a copy, and what the models detect on them."""
    count = min(args.num_images, len(copy))
    pixels, infos = zip(*(copy[index] for index in range(count)))
    found = [predict(d, pixels, infos, args.batch_size) for d in detectors]
    rows = []
    for image, info, samples in zip(pixels, infos, zip(*found)):
        truth = objects_of(info)
        columns = [
            detection_column(sample.pred_instances, truth, args.score_thr)
            for sample in samples
        ]
        name = f'{info["img_id"]}: {info["patch"]["file"]}'
        rows.append(Row(image, name, [truth_column(*truth), *columns]))
    titles = ['annotations and patch']
    titles += numbered([detector.name for detector in detectors])
    save(draw(rows, titles, detectors[0].classes), args.out / 'patched.png')


def plot(rows: Sequence[dict], path: Path) -> None:
    """A panel per metric: a group of bars per IoU, a bar per method."""
    models = list(dict.fromkeys(row[MODEL] for row in rows))
    ious = list(dict.fromkeys(row[CONDITION] for row in rows))
    figure, axes = grid(1, len(METRICS), 3.2, 2.8)
    width = 0.8 / len(models)
    for metric, panel in zip(METRICS, axes[0]):
        for place, model in enumerate(models):
            line = [row[metric] for row in rows if row[MODEL] == model]
            where = [
                k + (place - (len(models) - 1) / 2) * width for k in range(len(line))
            ]
            heights = [spread.mean or 0.0 for spread in line]
            errors = [spread.std or 0.0 for spread in line]
            panel.bar(where, heights, width, yerr=errors, capsize=2, label=model)
        panel.set_xticks(range(len(ious)), [f'{iou:g}' for iou in ious])
        panel.set(title=metric, xlabel=CONDITION)
    axes[0][-1].legend(loc='center left', bbox_to_anchor=(1, 0.5), fontsize='small')
    save(figure, path)


def make_copies(
    args: argparse.Namespace, detectors: Sequence[LoadedDetector]
) -> tuple[list[PatchedCopy], dict[str, Any]]:
    """The copies of the data set, and what of them the results depend on."""
    dataset = build_split(detectors[0], args.split, args.limit)
    images = DecodedImages(detectors[0], dataset, args.cache * 1e9)
    options = dict(share=args.share, measure=args.measure, seed=args.seed)
    transforms = [
        TransplantPatch(args.patches, detectors[0].classes, copy=number, **options)
        for number in range(args.copies)
    ]
    settings = dict(
        **split_settings(args, dataset),
        patches=patches_digest(transforms[0]),
        **options,
    )
    return [PatchedCopy(images, transform) for transform in transforms], settings


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args, boxes=True)
    say_cuts(detectors[0].cfg, args.cfg_options or (), len(detectors))
    copies, settings = make_copies(args, detectors)
    mode = voc_mode(detectors[0].cfg)
    metric = dict(iou_thrs=args.ious, score_thr=args.score_thr, eval_mode=mode)
    store = ResultStore(args.out / 'results.json', {**settings, **metric})
    sets = {f'copy {k}': PatchedSet(copy, metric) for k, copy in enumerate(copies)}
    kept = sweep(detectors, sets, store, args.batch_size)
    records = [
        {MODEL: detector.name, CONDITION: iou} | averaged(list(of.values()), iou)
        for iou in args.ious
        for detector, of in zip(detectors, kept)
    ]
    rows = summarise(records, [CONDITION], METRICS)
    title = f'{sum(map(len, copies))} patches on {len(copies[0])} {args.split} images'
    print(write_summary(args.out, 'transplant', title, rows, [CONDITION], METRICS))
    plot(rows, args.out / 'transplant.png')
    draw_first(detectors, copies[0], args)
    print(f'Tables, transplant.png and patched.png: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
