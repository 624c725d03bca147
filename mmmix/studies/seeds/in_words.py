"""What the differences of a study say, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from mmmix.studies.seeds.intervals import detectable, half_width

_MOST_SEEDS = 50
_RECALL = 'AR_100'


def told_metrics(metrics: Sequence[str]) -> list[str]:
    """The metrics that a sentence is spent on: the first one, and COCO's recall."""
    recall = [key for key in metrics[1:] if key.rpartition('/')[2] == _RECALL]
    return [*metrics[:1], *recall]


def in_words(
    name: str, metric: str, mean: float | None, std: float | None, n: int
) -> str:
    """A sentence on the difference of a config to the first one.

    Args:
        name: Of the config.
        metric: Of the difference.
        mean: Over seeds; None if there is none.
        std: Of a single seed; None if there are fewer than two.
        n: The number of seeds.
    """
    start = f'{name}: {metric} is'
    if mean is None:
        return f'{name}: no seed has {metric} for both.'
    if std is None:
        return (
            f'{start} {mean:+.3f} with one seed, which tells nothing: seeds differ '
            'among themselves; give more --seeds.'
        )
    if mean == std == 0:
        return f'{start} the same with each of {n} seeds, to the last digit.'
    half = half_width(std, n)
    interval = f'95 % interval {mean - half:+.3f} to {mean + half:+.3f}, {n} seeds'
    if abs(mean) > half:
        way = 'higher' if mean > 0 else 'lower'
        return f'{start} {way} by {abs(mean):.3f} ({interval}).'
    needed = seeds_needed(mean, std)
    more = f'some {needed} seeds' if needed else f'more than {_MOST_SEEDS} seeds'
    return (
        f'{start} {mean:+.3f}, which is not certain ({interval}): so many find one of '
        f'{detectable(std, n):.3f} in four studies of five; one like this takes {more}.'
    )


def seeds_needed(mean: float, std: float) -> int | None:
    """The number of seeds that finds a difference in four of five studies.

    Args:
        mean: The difference, if it were the true one.
        std: Of a single seed.

    Returns:
        None for more than 50.
    """
    numbers = range(2, _MOST_SEEDS + 1)
    return next((k for k in numbers if detectable(std, k) <= abs(mean)), None)


def caution(comparisons: int) -> str:
    """What to bear in mind where several differences are told; else nothing."""
    if comparisons < 2:
        return ''
    return (
        f'These are {comparisons} comparisons: each would seem certain by chance once '
        'in twenty times.'
    )
