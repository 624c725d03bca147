r"""Compare the assignment of AlignMix with a naive one, in time and peak memory.

Both make the same assignment R between the cells of random feature maps. The naive
one subtracts all columns of one map from all columns of the other (memory: cells
squared times channels) and runs Sinkhorn's iterations in a Python loop, one pair and
one vector of potentials at a time. Ours takes the distances from one matrix product
and all pairs together. They are timed alternately; the ratios are medians over
rounds, to the naive one's time, with a bootstrap 95 % interval. Peak memory is taken in
one more call of each, see mmmix/studies/speed/peak_memory.py.

Example:
    python tools/analysis_tools/benchmark_sinkhorn.py --size 38 38 --channels 256 \
        --iterations 20 --rounds 5
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from mmmix.apis.arguments import COUNT
from mmmix.apis.reporting import markdown_table
from mmmix.apis.run_command import run_command
from mmmix.functional import transport_plan
from mmmix.studies.speed.benchmark import Measurement
from mmmix.studies.speed.benchmark_cli import (
    Summaries,
    add_benchmark_arguments,
    pick_clock,
    ratio_cell,
    run_rounds,
    seconds_and_ratios,
)
from mmmix.studies.speed.peak_memory import peak_allocated

_OURS, _NAIVE = 'assignment', 'naive'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        '--size',
        type=COUNT,
        nargs=2,
        default=(38, 38),
        metavar=('HEIGHT', 'WIDTH'),
        help='(default: 38 38)',
    )
    add('--channels', type=COUNT, default=256, help='(default: %(default)s)')
    add('--pairs', type=COUNT, default=1, help='of maps in a batch (default: 1)')
    add('--epsilon', type=float, default=0.05, help='(default: %(default)s)')
    add('--iterations', type=COUNT, default=100, help='(default: %(default)s)')
    add(
        '--tolerance',
        type=float,
        default=1e-3,
        help='between the two assignments (default: %(default)s)',
    )
    add_benchmark_arguments(parser)
    return parser.parse_args(argv)


def naive_plan(
    first: Tensor, second: Tensor, epsilon: float, iterations: int
) -> Tensor:
    """What :func:`mmmix.functional.transport_plan` computes, as it is written down.

    Args:
        first: ``(N, C, r)``.
        second: ``(N, C, r)``.
        epsilon: ε relative to the mean cost.
        iterations: Updates of both marginals.

    Returns:
        ``(N, r, r)``.
    """
    plans = []
    for a, b in zip(first, second):
        cost = (a[:, :, None] - b[:, None, :]).square().sum(dim=0)
        cost = cost / cost.mean()
        log_mass = -math.log(len(cost))
        f, g = torch.zeros_like(cost[:, 0]), torch.full_like(cost[0], log_mass)
        g = g * epsilon
        for _ in range(iterations):
            f = epsilon * (log_mass - ((g[None, :] - cost) / epsilon).logsumexp(dim=1))
            g = epsilon * (log_mass - ((f[:, None] - cost) / epsilon).logsumexp(dim=0))
        plan = ((f[:, None] + g[None, :] - cost) / epsilon).exp()
        plans.append(plan / plan.sum(dim=1, keepdim=True))
    return torch.stack(plans)


def random_maps(args: argparse.Namespace) -> list[Tensor]:
    """Two batches of maps as after a ReLU, cells of unequal length."""
    generator = torch.Generator().manual_seed(args.seed)
    cells = math.prod(args.size)
    maps = []
    for _ in range(2):
        features = torch.randn((args.pairs, args.channels, cells), generator=generator)
        lengths = torch.rand((args.pairs, 1, cells), generator=generator)
        maps.append((features.relu() * (0.2 + lengths)).to(args.device))
    return maps


def timed(
    compute: Callable[[], Tensor], device: torch.device, clock: Callable[[], float]
) -> Callable[[int], Measurement]:
    """A contender: one call, with the device waited for."""

    def measure(index: int) -> Measurement:
        start = clock()
        compute()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return {'seconds': clock() - start}

    return measure


def finish(
    contenders: dict[str, Callable[[], Tensor]],
    device: torch.device,
    tolerance: float,
    summaries: Summaries,
) -> None:
    """Add the peak memory of each, and compare what they return.

    Raises:
        ArithmeticError: If the assignments differ by more than the tolerance.
    """
    results = {}
    for name, compute in contenders.items():
        summaries[name]['peak_bytes'] = peak_allocated(compute, device)
        results[name] = compute()
    difference = float((results[_OURS] - results[_NAIVE]).abs().max())
    largest = float(results[_NAIVE].max())
    print(f'largest difference {difference:.2e}, largest entry {largest:.2e}')
    if not difference <= tolerance:
        raise ArithmeticError(
            f'the assignments differ by {difference:g}, more than --tolerance '
            f'{tolerance:g}'
        )


def table(summaries: Summaries) -> str:
    """The printed table."""
    naive = summaries[_NAIVE].get('peak_bytes')
    rows = []
    for name, summary in summaries.items():
        peak = summary.get('peak_bytes')
        memory = ['n/a', 'n/a']
        if peak is not None:
            memory = [f'{peak / 2**20:.1f}', f'{peak / naive:.3f}']
        time = f'{1000 * summary["seconds"]:.1f}'
        rows.append([name, time, ratio_cell(summary), *memory])
    header = ['', 'ms', 'of naive', 'peak MiB', 'of naive']
    return markdown_table(header, rows)


def main(argv: Sequence[str] | None = None) -> Summaries:
    """Run the command; returns the summaries by contender."""
    args = parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    device, clock = torch.device(args.device), pick_clock(args, workers=0)
    maps = random_maps(args)
    contenders = {
        name: partial(function, *maps, args.epsilon, args.iterations)
        for name, function in ((_OURS, transport_plan), (_NAIVE, naive_plan))
    }
    print(
        f'{args.pairs} pairs of {args.channels} x {args.size[0]} x {args.size[1]}, '
        f'{args.iterations} iterations, {args.device}'
    )
    return run_rounds(
        {name: timed(call, device, clock) for name, call in contenders.items()},
        args,
        partial(seconds_and_ratios, _OURS, _NAIVE),
        table,
        partial(finish, contenders, device, args.tolerance),
    )


def run() -> None:
    """Run the command as a program."""
    run_command(main)


if __name__ == '__main__':
    run()
