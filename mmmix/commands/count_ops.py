"""Count operations and reads of one training step of configs, on a CPU.

On a GPU a step costs what it launches and what it waits for: a value that Python
reads, or a result whose size depends on values. Printed per config, the mean over
steps: operations and reads of target assignment, sampling and loss; of the mixer; and
of the whole step, backward and optimizer included; uploads of Python numbers; and the
ratio of operations to the reference's. Below, the lines that read, with the line of
this project that led there.

All configs see the same random batches. Views and allocations are no operations.
Kernels of mmcv count as what they call of torch, and a read of a tensor that stays on
the host on a GPU as well counts too, so the numbers are upper bounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from mmmix.apis.arguments import COUNT, SEED
from mmmix.apis.reporting import markdown_table, write_json
from mmmix.apis.run_command import run_command
from mmmix.commands.benchmark_step import (
    add_step_arguments,
    batches,
    check_step_arguments,
    load,
)
from mmmix.layouts.writing import check_writable
from mmmix.studies.speed.benchmark_cli import check_unique
from mmmix.studies.speed.step_counts import (
    LOSS,
    MIXER,
    StepCounts,
    count_steps,
    ratio,
)
from mmmix.studies.speed.training_step import TrainingStep

Results = dict[str, StepCounts]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_step_arguments(parser, '*')
    add = parser.add_argument
    add('--steps', type=COUNT, default=2, help='that are counted (default: 2)')
    add('--warmups', type=int, default=2, help='steps before them (default: 2)')
    add(
        '--places',
        type=int,
        default=20,
        help='lines that read, per config (default: %(default)s)',
    )
    add('--seed', type=SEED, default=0, help='(default: %(default)s)')
    add('--out', type=Path, help='JSON file of all counts')
    args = parser.parse_args(argv)
    check_step_arguments(parser, args)
    args.workers = 0  # batches are loaded here, outside of what is counted
    return args


def table(results: Results) -> str:
    """Counts of all configs; the first one is the reference."""
    header = ['config', 'loss: ops', 'reads', 'mixer: ops', 'reads', 'step: ops']
    header += ['reads', 'uploads', 'loss + mixer', 'step']
    reference = next(iter(results.values()))
    rows = []
    for name, counts in results.items():
        row = [name]
        for sections in ((LOSS,), (MIXER,), ()):
            row += [
                f'{counts.total(what, *sections):.0f}'
                for what in ('operations', 'reads')
            ]
        row.append(f'{counts.total("uploads"):.0f}')
        row += [
            f'{ratio(counts, reference, sections):.2f}'
            for sections in ((LOSS, MIXER), ())
        ]
        rows.append(row)
    return markdown_table(header, rows)


def places_table(counts: StepCounts, limit: int) -> str:
    """The lines that read most, and what all others read together."""
    rows = [
        [place.line, f'{count:.1f}', place.kind, place.section, place.via or 'none']
        for place, count in counts.places[:limit]
    ]
    rest = sum(count for _, count in counts.places[limit:])
    if rest:
        rows.append([f'{len(counts.places) - limit} others', f'{rest:.1f}', *[''] * 3])
    return markdown_table(['line', 'reads', 'kind', 'section', 'via'], rows)


def as_json(counts: StepCounts) -> dict:
    """The counts as JSON types."""
    places = [dict(place._asdict(), count=count) for place, count in counts.places]
    return {**counts._asdict(), 'places': places}


def main(argv: Sequence[str] | None = None) -> Results:
    """Run the command; returns the counts by config."""
    args = parse_args(argv)
    paths = [args.reference, *args.configs]
    check_unique(paths)
    if args.out is not None:
        check_writable([args.out])
    configs = [load(path, args.cfg_options, args.mix_options) for path in paths]
    results: Results = {}
    for path, cfg, fetch in zip(paths, configs, batches(configs, args)):
        step = TrainingStep(cfg, fetch, torch.device('cpu'), args.seed)
        results[path] = count_steps(step, fetch, args.steps, args.warmups)
        if args.out is not None:
            write_json(args.out, {name: as_json(c) for name, c in results.items()})
    print(table(results))
    for path, counts in results.items():
        print(f'\n{path}: lines that read\n')
        print(places_table(counts, args.places))
    return results


def run() -> None:
    """Run the command as a program."""
    run_command(main, quiet=True)


if __name__ == '__main__':
    run()
