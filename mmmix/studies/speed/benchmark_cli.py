"""What the benchmark tools share: arguments, the rounds, and partial results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmmix.apis.arguments import add_device_argument, argument, read_seed
from mmmix.apis.reporting import write_json
from mmmix.engine.stop_signals import Stopped
from mmmix.layouts.writing import check_writable
from mmmix.studies.speed.benchmark import (
    CLOCKS,
    Interval,
    Measurement,
    alternate,
    column,
    machine,
    paired_ratio,
)

Records = list[dict[str, Measurement]]
Summaries = dict[str, dict[str, Any]]


def add_benchmark_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all benchmarks have."""
    add = parser.add_argument
    add('--rounds', type=int, default=20, help='timed rounds (default: 20)')
    add('--warmups', type=int, default=3, help='rounds before them (default: 3)')
    add(
        '--threads',
        type=int,
        help="threads of torch in this process (default: torch's)",
    )
    add_device_argument(parser)
    add(
        '--clock',
        choices=sorted(CLOCKS),
        default='wall',
        help='cpu: CPU seconds of this process, for a busy machine; needs the CPU as '
        'device and no loading processes, best with --threads 1 (default: wall)',
    )
    add('--seed', type=argument(read_seed), default=0, help='(default: 0)')
    add('--out', type=Path, help='JSON file, rewritten after every round')


def pick_clock(args: argparse.Namespace, workers: int) -> Callable[[], float]:
    """The clock that ``--clock`` names.

    Args:
        args: Parsed arguments.
        workers: Number of loading processes.

    Raises:
        ValueError: If CPU seconds of this process would miss a part of the work.
    """
    if args.clock == 'cpu' and (workers > 0 or args.device != 'cpu'):
        raise ValueError(
            '--clock cpu sees this process only; expected --workers 0 and --device '
            f'cpu, got --workers {workers} and --device {args.device}'
        )
    return CLOCKS[args.clock]


def run_rounds(
    contenders: Mapping[str, Callable[[int], Measurement]],
    args: argparse.Namespace,
    summarize: Callable[[Records], Summaries],
    table: Callable[[Summaries], str],
    finish: Callable[[Summaries], None] = lambda summaries: None,
) -> Summaries:
    """Time all contenders and print the result, of complete rounds if it is stopped.

    Args:
        contenders: What to time, by name.
        args: Parsed arguments, those of :func:`add_benchmark_arguments` included.
        summarize: Makes the result per contender from the complete rounds.
        table: Lays it out.
        finish: Adds to the summaries after the last round.

    Returns:
        The summaries of all rounds. They are written to ``args.out`` with the
        rounds and the machine after each round.

    Raises:
        OSError: Before the first round, if ``args.out`` cannot be written.
        KeyboardInterrupt, Stopped: If a signal came.
    """
    if args.out is not None:
        check_writable([args.out])
    records: Records = []
    summaries: Summaries = {}
    settings = {key: value for key, value in vars(args).items() if key != 'out'}
    content = {'settings': settings, 'machine': machine(args.device)}

    def save() -> None:
        if args.out is not None:
            write_json(args.out, {**content, 'summary': summaries, 'rounds': records})

    try:
        for record in alternate(contenders, rounds=args.rounds, warmups=args.warmups):
            records.append(record)
            summaries = summarize(records)
            save()
        finish(summaries)
        save()
    except (KeyboardInterrupt, Stopped):
        sys.stderr.write(f'\nstopped after {len(records)} of {args.rounds} rounds\n')
        if records:
            sys.stdout.write(f'{table(summaries)}\n')
        raise
    sys.stdout.write(f'{table(summaries)}\n')
    return summaries


def seconds_and_ratios(ours: str, reference: str, records: Records) -> Summaries:
    """Median seconds of two contenders, and their ratios to the second.

    Args:
        ours: Name of the first.
        reference: Name of the second.
        records: The complete rounds.
    """
    base = column(records, reference, 'seconds')
    summaries: Summaries = {}
    for name in (ours, reference):
        times = column(records, name, 'seconds')
        ratio = vars(paired_ratio(times, base))
        summaries[name] = {'seconds': float(np.median(times)), 'ratio': ratio}
    return summaries


def ratio_cell(summary: Mapping[str, Any]) -> str:
    """A summary's ``ratio``, with the verdict where there is a goal."""
    text = str(Interval(**summary['ratio']))
    if 'verdict' in summary:
        text += f' {summary["verdict"]} (goal {summary["goal"]:g})'
    return text


def share_cell(share: float | None) -> str:
    """A share as ``0.95``, or ``n/a``."""
    return 'n/a' if share is None else f'{share:.2f}'


def check_unique(names: Sequence[str]) -> None:
    """Make sure that contenders can be told apart.

    Raises:
        ValueError: If a name repeats.
    """
    if len(set(names)) < len(names):
        raise ValueError(f'each contender may be given once, got {list(names)}')
