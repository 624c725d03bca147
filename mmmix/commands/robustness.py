r"""Test models on perturbed images, and compare how much they lose.

Detectors are judged by their mAP, classifiers by their accuracy. All models see the
same perturbed images: an image is decoded once, perturbed once, and its draws depend on
its id alone. Results are kept in OUT/results.json as soon as a model is through with a
perturbation; the same command goes on from there.

Perturbations, each as KIND or KIND:LEVEL,LEVEL,... (clean images always come first):
  gaussian             noise of σ on the scale of black = 0, white = 1
  gaussian-normalized  noise of σ after the normalisation of the model
  hole                 the centre hidden, LEVEL of each side
  boundary             all but the centre hidden, LEVEL of each side is seen
  fgsm                 one step of LEVEL/255 along the model's own gradient
  corruptions          all 15 common corruptions; or one by name, such as fog:1,3,5

OUT gets robustness.md, robustness.csv, cells.csv and a figure for each metric.

Example, with two seeds of two methods:
  base=configs/demo/ssd_digits.py; union=configs/demo/ssd_digits_union.py
  robustness.py \
      $base@study/ssd_digits/seed_0/epoch_30.pth \
      $base@study/ssd_digits/seed_1/epoch_30.pth \
      $union@study/ssd_digits_union/seed_0/epoch_30.pth \
      $union@study/ssd_digits_union/seed_1/epoch_30.pth \
      --perturbations gaussian fgsm hole:0.3,0.6 --out work_dirs/robustness
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmmix.apis.arguments import SEED
from mmmix.apis.run_command import RESUMABLE, run_command
from mmmix.studies.score_cuts import say_cuts
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.splits import build_split, split_settings
from mmmix.studies.trained.models.arguments import (
    add_cache_argument,
    add_model_arguments,
)
from mmmix.studies.trained.models.detection_scores import check_one_rule
from mmmix.studies.trained.models.loading import load_detectors
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.robustness.perturbations import FILLS, parse_perturbations
from mmmix.studies.trained.robustness.report import METRICS, check_metrics, write_report
from mmmix.studies.trained.robustness.scores import PerturbedSet, score_perturbed


def make_parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        '--perturbations',
        nargs='+',
        default=['gaussian'],
        metavar='KIND[:LEVELS]',
        help='default: gaussian, of σ 0.1, 0.2 and 0.4',
    )
    add(
        '--fill',
        choices=FILLS,
        default='mean',
        help="hidden pixels: the model's mean colour, zero after normalisation "
        '(default), or black, zero before it',
    )
    add(
        '--metric',
        nargs='+',
        metavar='KEY',
        help=f'metrics of the tables and figures (default: {" ".join(METRICS)}; of '
        'classifiers accuracy/top1)',
    )
    add('--seed', type=SEED, default=0, help='of all draws (default: 0)')
    add_cache_argument(parser, 'perturbation')
    return parser


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser()
    args = parser.parse_args(argv)
    try:
        args.perturbations = parse_perturbations(args.perturbations)
    except ValueError as error:
        parser.error(str(error))
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = parse_args(argv)
    detectors = load_detectors(args)
    check_one_rule([detector.cfg for detector in detectors])
    say_cuts(detectors[0].cfg, args.cfg_options or (), len(detectors))
    dataset = build_split(detectors[0], args.split, args.limit)
    settings = split_settings(args, dataset) | dict(seed=args.seed, fill=args.fill)
    store = ResultStore(args.out / 'results.json', settings)
    images = DecodedImages(detectors[0], dataset, args.cache * 1e9)
    sets = {
        perturbation: PerturbedSet(
            images, dataset.metainfo, perturbation, args.seed, args.fill
        )
        for perturbation in args.perturbations
    }
    metrics = args.metric or list(detectors[0].main_metrics)
    if args.metric:  # what there is, clean images tell before the long part
        first = dict([next(iter(sets.items()))])
        clean = score_perturbed(detectors, first, store, args.batch_size)
        check_metrics(clean, metrics)
    records = score_perturbed(detectors, sets, store, args.batch_size)
    print(f'\n{write_report(args.out, records, args.perturbations, metrics)}')
    print(f'Tables and figures: {args.out}')


def run() -> None:
    """Run the command as a program."""
    run_command(main, RESUMABLE)


if __name__ == '__main__':
    run()
