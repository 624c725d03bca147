"""Comparing timings on a noisy machine: interleaved rounds and paired ratios.

Single timings of one training step vary by 30 % and more on a busy machine.
What disturbs a round disturbs all contenders of that round alike, so every
round times each contender once, in an order that rotates, and the ratio to the
reference is taken within the round. The median of these paired ratios is the
result, with a bootstrap interval.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import mmcv
import mmdet
import mmengine
import numpy as np
import torch
from mmengine.utils import ProgressBar

Measurement = dict[str, float]
"""What one contender yields in one round, by name, e.g. ``step_s``."""

CLOCKS: dict[str, Callable[[], float]] = {
    'wall': time.perf_counter,
    'cpu': time.process_time,
}
"""Elapsed seconds, or the CPU seconds of all threads of this process: these are
disturbed less by other programs, but miss waiting, GPUs and other processes."""


@dataclass(frozen=True)
class Interval:
    """A median with the bounds of its bootstrap interval."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval's width, relative to the median."""
        return (self.high - self.low) / (2 * abs(self.median))

    def __str__(self) -> str:
        """Such as ``1.013 [1.004, 1.021]``."""
        return f'{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]'


def bootstrap_median(
    values: Sequence[float],
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The median of ``values`` with a percentile bootstrap interval.

    Args:
        values: The sample, finite.
        level: Coverage of the interval, in (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling, so that a report can be repeated.

    Raises:
        ValueError: If ``values`` is empty or not finite, or ``level`` is not in
            (0, 1).
    """
    sample = np.asarray(values, dtype=float)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(
            f'values must be a non-empty list of finite numbers, got {values}'
        )
    if not 0 < level < 1:
        raise ValueError(f'level must lie in (0, 1), got {level}')
    rng = np.random.default_rng(seed)
    draws = rng.integers(sample.size, size=(resamples, sample.size))
    medians = np.median(sample[draws], axis=1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(medians, [tail, 100 - tail])
    return Interval(float(np.median(sample)), float(low), float(high))


def paired_ratio(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """The median over rounds of ``values[i] / reference[i]``, with its interval.

    Raises:
        ValueError: If the two differ in length or are empty.
    """
    if len(values) != len(reference):
        raise ValueError(
            'paired ratios need one value of each per round, got '
            f'{len(values)} and {len(reference)}'
        )
    return bootstrap_median([value / base for value, base in zip(values, reference)])


def verdict(ratio: Interval, goal: float, *, at_most: bool = True) -> str:
    """Whether a ratio meets its goal: met, missed or inconclusive.

    Args:
        ratio: A paired ratio with its interval.
        goal: The bound that the ratio should keep to.
        at_most: Whether ``goal`` is an upper bound; else it is a lower one.

    Returns:
        ``'inconclusive'`` if the interval is wider than ±5 % of the median:
        the machine was too noisy, whatever the ratio; or if it has no width, as
        that of a single round. Otherwise ``'met'`` if any value within the
        interval keeps to the goal, else ``'missed'``.
    """
    if not 0 < ratio.half_width <= 0.05:
        return 'inconclusive'
    kept = ratio.low <= goal if at_most else ratio.high >= goal
    return 'met' if kept else 'missed'


def rotation(count: int, index: int) -> list[int]:
    """Order of ``count`` contenders in round ``index``: each starts in turn.

    >>> [rotation(3, index) for index in range(4)]
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]
    """
    return [(index + offset) % count for offset in range(count)]


def alternate(
    contenders: Mapping[str, Callable[[int], Measurement]],
    *,
    rounds: int,
    warmups: int,
) -> Iterator[dict[str, Measurement]]:
    """Time all contenders once per round, in rotating order.

    Args:
        contenders: What to call, by name, with the number of the round counted
            from the first warm-up.
        rounds: How many rounds count.
        warmups: How many rounds go before, and are not yielded.

    Yields:
        What the contenders returned, by name, as soon as a round is complete;
        so an interrupted comparison keeps all complete rounds.

    Raises:
        ValueError: If ``rounds`` or ``warmups`` is too small.
    """
    if rounds < 1 or warmups < 0:
        raise ValueError(
            f'expected rounds >= 1 and warmups >= 0, got {rounds} and {warmups}'
        )
    names = list(contenders)
    bar = ProgressBar(warmups + rounds, file=sys.stderr)
    for index in range(warmups + rounds):
        measured = {
            names[position]: contenders[names[position]](index)
            for position in rotation(len(names), index)
        }
        bar.update()
        if index >= warmups:
            yield {name: measured[name] for name in names}
    sys.stderr.write('\n')


def column(
    records: Sequence[Mapping[str, Measurement]], name: str, key: str
) -> list[float]:
    """One contender's measurement ``key`` over all rounds."""
    return [record[name][key] for record in records]


def machine(device: str) -> dict[str, str | int]:
    """What a timing depends on: device, threads and library versions."""
    cuda = torch.device(device).type == 'cuda'
    return {
        'device': torch.cuda.get_device_name(device) if cuda else platform.machine(),
        'cores': _cores(),
        'threads': torch.get_num_threads(),
        'python': platform.python_version(),
        'torch': torch.__version__,
        'mmcv': mmcv.__version__,
        'mmdet': mmdet.__version__,
        'mmengine': mmengine.__version__,
    }


def _cores() -> int:
    """The cores of this process; all, where the system does not share them out."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
