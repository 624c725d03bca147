"""Time one training step of configs against a reference config.

All configs live in one process and step in turn, in an order that rotates every
round. Printed per config: medians over rounds of the time to get a batch (data),
of one optimizer step (step) and of samples per second; the peak memory of a step;
the share of samples that were mixed in the timed steps; and the ratio of the step
time per sample to the reference's, paired by round, as median with a bootstrap
95 % interval.

CONFIG+METHOD is a config with a method, as --mix of train.py puts it in: any config,
those of mmdet included, e.g. ssd300_voc.py ssd300_voc.py+lossmix.

Weights are random and the learning rate is scaled by 1e-3; neither changes the
time. Synthetic batches are the same for all configs and pass no pipeline, so a
config that mixes in its pipeline needs --data config. With synthetic data, `data`
is a copy in memory; with a config's own it is the whole loading of a batch in this
process, and with --workers the wait for workers, which then also load while other
configs are timed.

Peak memory is taken in one more step that is not timed: parameters, buffers and
optimizer state, plus the most that the step holds at once. On CUDA that is the
allocator's statistic; on CPU it is what torch's profiler sees torch allocate,
without what libraries (oneDNN, OpenCV) allocate by themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from mmmix.apis.arguments import COUNT, Options
from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.configs.config_reading import check_detects, read_config
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.reporting import markdown_table
from mmmix.apis.run_command import run_command
from mmmix.studies.seeds.options import has_method
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
from mmmix.studies.speed.synthetic import SyntheticBatches, input_size, values_of
from mmmix.studies.speed.training_step import (
    ConfigBatches,
    Fetch,
    TrainingStep,
    num_classes,
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_step_arguments(parser, '+')
    add = parser.add_argument
    add(
        '--workers',
        type=int,
        default=0,
        help='loading processes, --data config (default: %(default)s)',
    )
    add('--goal', type=float, help='upper bound of the ratios, e.g. 1.02')
    add_benchmark_arguments(parser)
    args = parser.parse_args(argv)
    if args.workers and args.data == 'synthetic':
        parser.error('--workers load the images of --data config')
    check_step_arguments(parser, args)
    return args


def add_step_arguments(parser: argparse.ArgumentParser, count: str) -> None:
    """Add the arguments that :func:`load` and :func:`batches` need.

    Args:
        parser: Gets them.
        count: How many configs beside the reference, as argparse's ``nargs``.
    """
    add = parser.add_argument
    add('reference', help='config that the others are compared with')
    add('configs', nargs=count, help='configs to compare')
    add(
        '--data',
        choices=('synthetic', 'config'),
        default='synthetic',
        help='(default: %(default)s)',
    )
    add('--batch-size', type=COUNT, help="default: 8; --data config: the config's own")
    add(
        '--size',
        type=COUNT,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help="of synthetic images; default: the reference config's",
    )
    add('--boxes', type=int, default=3, help='per synthetic image (default: 3)')
    add('--cfg-options', nargs='+', action=Options, help='for all configs')
    add('--mix-options', nargs='+', action=Options, help='for all CONFIG+METHOD')


def check_step_arguments(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> None:
    """End with a line where an option of :func:`add_step_arguments` has no effect."""
    if args.size and args.data == 'config':
        parser.error('--size is that of --data synthetic; a config has its own')
    if args.mix_options and not any(map(has_method, (args.reference, *args.configs))):
        parser.error('--mix-options are settings of CONFIG+METHOD')


def load(
    path: str,
    options: dict[str, Any] | None,
    mix_options: dict[str, Any] | None = None,
) -> Config:
    """Read a config and drop its pretrained weights, which change no time."""
    mix_options = mix_options if has_method(path) else None
    cfg = read_config(path, options, mix_options=mix_options)
    drop_pretrained(cfg, warn=False)
    return cfg


def batches(configs: Sequence[Config], args: argparse.Namespace) -> list[Fetch]:
    """Where each config's batches come from; synthetic ones are shared."""
    if args.data == 'config':
        for cfg in configs:
            check_dataset_paths(cfg, ['train'])
        return [
            ConfigBatches(cfg, args.batch_size, args.workers, args.seed)
            for cfg in configs
        ]
    for cfg in configs:
        check_detects(
            cfg, 'synthetic images have boxes; take mmmix benchmark --data config'
        )
    size = args.size
    if size is None:
        pipelines = values_of(configs[0].train_dataloader.dataset, 'pipeline')
        size = input_size([step for pipeline in pipelines for step in pipeline])
    shared = SyntheticBatches(
        tuple(size),
        args.batch_size or 8,
        args.boxes,
        min(map(num_classes, configs)),
        seed=args.seed,
    )
    return [shared] * len(configs)


def per_sample(records: Records, name: str) -> list[float]:
    """Step time divided by the samples of the step, for every round."""
    times, counts = (column(records, name, key) for key in ('step_s', 'samples'))
    return [time / count for time, count in zip(times, counts)]


def summarize(
    steps: dict[str, TrainingStep], goal: float | None, records: Records
) -> Summaries:
    """Medians of each config and its ratio to the first, the reference."""
    reference = next(iter(steps))
    summaries = {}
    for name, step in steps.items():
        times, data, samples, mixed = (
            column(records, name, key)
            for key in ('step_s', 'data_s', 'samples', 'mixed')
        )
        speeds = [n / (d + t) for n, d, t in zip(samples, data, times)]
        ratio = paired_ratio(per_sample(records, name), per_sample(records, reference))
        recorded = not step.leaves_no_record
        summaries[name] = {
            'data_s': float(np.median(data)),
            'step_s': float(np.median(times)),
            'samples_per_s': float(np.median(speeds)),
            'mixed_share': sum(mixed) / sum(samples) if recorded else None,
            'ratio': vars(ratio),
        }
        if goal is not None and name != reference:
            summaries[name].update(goal=goal, verdict=verdict(ratio, goal))
    return summaries


def add_memory(steps: dict[str, TrainingStep], summaries: Summaries) -> None:
    """Measure the peak memory of each config in one more step."""
    for name, step in steps.items():
        summaries[name]['peak_bytes'] = step.peak_memory()


def table(summaries: Summaries) -> str:
    """The printed table."""
    header = ['config', 'data ms', 'step ms', 'samples/s', 'peak MiB', 'mixed', 'ratio']
    rows = []
    for name, summary in summaries.items():
        memory = summary.get('peak_bytes')
        rows.append(
            [
                name,
                f'{1000 * summary["data_s"]:.1f}',
                f'{1000 * summary["step_s"]:.1f}',
                f'{summary["samples_per_s"]:.2f}',
                'n/a' if memory is None else f'{memory / 2**20:.0f}',
                share_cell(summary['mixed_share']),
                ratio_cell(summary),
            ]
        )
    return markdown_table(header, rows)


def main(argv: Sequence[str] | None = None) -> Summaries:
    """Run the command; returns the summaries by config."""
    args = parse_args(argv)
    paths = [args.reference, *args.configs]
    check_unique(paths)
    if args.threads:
        torch.set_num_threads(args.threads)
    configs = [load(path, args.cfg_options, args.mix_options) for path in paths]
    runtime = configs[0].get('env_cfg', {})
    torch.backends.cudnn.benchmark = runtime.get('cudnn_benchmark', False)
    device, clock = torch.device(args.device), pick_clock(args, args.workers)
    steps = {
        path: TrainingStep(cfg, fetch, device, args.seed, clock)
        for path, cfg, fetch in zip(paths, configs, batches(configs, args))
    }
    return run_rounds(
        steps,
        args,
        partial(summarize, steps, args.goal),
        table,
        partial(add_memory, steps),
    )


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
