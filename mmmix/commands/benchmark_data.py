"""Compare how fast data is loaded, mixed and preprocessed; no network runs.

The training images of a config are decoded, resized to one size, augmented,
collated and passed through its DetDataPreprocessor, with each way of mixing:

  mixbatch     MixBatch in the preprocessor
  miximage     MixImage in MultiImageMixDataset
  mixup        mmdet's own MixUp in MultiImageMixDataset
  mixup-yolox  the same where mmdet's YOLOX config has it: the partner is only
               loaded, not augmented, which is less work than the other methods do
  none         no mixing

All live in one process and take turns, in an order that rotates every round. A
round runs the workers from an empty queue until they are idle again. The last
column is the speed of mixbatch over that of the row, paired by round, as median
with a bootstrap 95 % interval. Augmentation: `ssd` is SSD's expand, crop, resize,
flip and colour distortion; `minimal` is resize and flip; `config` is the config's
own pipeline at its own size.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
import torch
from mmengine.config import Config

from mmmix.apis.arguments import COUNT, Options
from mmmix.apis.configs.config_reading import check_detects, read_config
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.reporting import markdown_table
from mmmix.apis.run_command import run_command
from mmmix.studies.speed.benchmark import column, paired_ratio, verdict
from mmmix.studies.speed.benchmark_cli import (
    Records,
    Summaries,
    add_benchmark_arguments,
    check_unique,
    pick_clock,
    ratio_cell,
    run_rounds,
    share_cell,
)
from mmmix.studies.speed.loading import AUGMENTS, METHODS, LoadingRound, augmentation

_OURS, *_OTHERS = METHODS


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', help='its train data set and data preprocessor are used')
    add('--methods', nargs='+', choices=_OTHERS, default=_OTHERS, help='default: all')
    add('--augment', choices=AUGMENTS, default=AUGMENTS[0], help='default: ssd')
    add(
        '--size',
        type=COUNT,
        nargs=2,
        default=(300, 300),
        metavar=('HEIGHT', 'WIDTH'),
        help='(default: 300 300)',
    )
    add('--batch-size', type=COUNT, default=8, help='(default: %(default)s)')
    add('--batches', type=COUNT, default=32, help='per method and round (default: 32)')
    add('--workers', type=int, default=2, help='loading processes (default: 2)')
    add(
        '--goals',
        nargs='+',
        action=Options,
        default={},
        metavar='METHOD=RATIO',
        help='lower bounds of the ratios, e.g. mixup=1.8 none=0.97',
    )
    add('--cfg-options', nargs='+', action=Options)
    add_benchmark_arguments(parser)
    return parser.parse_args(argv)


def summarize(
    methods: Sequence[str], goals: dict[str, float], records: Records
) -> Summaries:
    """Median speed of each method, and how many times as fast ours is."""
    summaries = {}
    ours = column(records, _OURS, 'seconds')
    for name in methods:
        times, samples, mixed = (
            column(records, name, key) for key in ('seconds', 'samples', 'mixed')
        )
        ratio = paired_ratio(times, ours)
        speeds = [count / seconds for count, seconds in zip(samples, times)]
        summaries[name] = {
            'samples_per_s': float(np.median(speeds)),
            # mmdet's MixUp marks no sample.
            'mixed_share': None
            if name.startswith('mixup')
            else sum(mixed) / sum(samples),
            'ratio': vars(ratio),
        }
        if name in goals:
            met = verdict(ratio, goals[name], at_most=False)
            summaries[name].update(goal=goals[name], verdict=met)
    return summaries


def table(summaries: Summaries) -> str:
    """The printed table."""
    header = ['method', 'samples/s', 'mixed', f'{_OURS} over it']
    rows = [
        [
            name,
            f'{summary["samples_per_s"]:.1f}',
            share_cell(summary['mixed_share']),
            ratio_cell(summary),
        ]
        for name, summary in summaries.items()
    ]
    return markdown_table(header, rows)


def build_loaders(
    cfg: Config, methods: Sequence[str], args: argparse.Namespace
) -> dict[str, LoadingRound]:
    """What loads a round of batches, for each method."""
    clock = pick_clock(args, args.workers)
    dataset = cfg.train_dataloader.dataset
    pipeline = augmentation(dataset, args.augment, tuple(args.size))
    return {
        name: LoadingRound(
            dataset,
            cfg.model.data_preprocessor,
            name,
            pipeline,
            args.batch_size,
            args.batches,
            args.workers,
            args.device,
            args.seed,
            clock,
        )
        for name in methods
    }


def main(argv: Sequence[str] | None = None) -> Summaries:
    """Run the command; returns the summaries by method."""
    args = parse_args(argv)
    methods = [_OURS, *args.methods]
    check_unique(methods)
    if unknown := set(args.goals) - set(args.methods):
        raise ValueError(
            f'--goals names {sorted(unknown)}, expected among {args.methods}'
        )
    cfg = read_config(args.config, args.cfg_options)
    check_detects(cfg, 'data_time in the log of a training is the wait for its data')
    check_dataset_paths(cfg, ['train'])
    # As the Runner does: each process loads with one thread.
    cv2.setNumThreads(0)
    if args.threads:
        torch.set_num_threads(args.threads)
    loaders = build_loaders(cfg, methods, args)
    return run_rounds(loaders, args, partial(summarize, methods, args.goals), table)


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
