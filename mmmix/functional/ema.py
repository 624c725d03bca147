"""Averages of one list of tensors that follow another, a few kernels per list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Pairs = tuple[list[Tensor], list[Tensor]]
"""Two lists of the same length: what is written, and what it is written from."""


@torch.no_grad()
def ema_update(
    averages: Sequence[Tensor], values: Sequence[Tensor], momentum: float
) -> None:
    """Move averages towards values: ``average <- (1 - m) average + m value``.

    In place and without a host synchronisation. ``m = 1`` makes an exact copy.

    Args:
        averages: Floating-point tensors, best of one device and dtype.
        values: As many, of the same shapes and dtypes.
        momentum: m, in [0, 1].
    """
    if averages:
        torch._foreach_lerp_(list(averages), list(values), momentum)


@torch.no_grad()
def copy_update(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy sources to targets in place, bit by bit, whatever their dtype."""
    if targets:
        torch._foreach_copy_(list(targets), list(sources))


@torch.no_grad()
def relative_distance(averages: Sequence[Tensor], values: Sequence[Tensor]) -> Tensor:
    """The distance ``|averages - values| / |values|`` of two lists.

    Norms are Euclidean, over all elements of a list. One difference at a time is
    held in memory.

    Returns:
        A scalar tensor in float32, on the device of the first average. 0 for
        equal lists.
    """
    norm = torch.linalg.vector_norm
    apart = [norm((a - v).float()) for a, v in zip(averages, values)]
    size = [norm(value.float()) for value in values]
    floor = torch.finfo(torch.float32).tiny
    return norm(torch.stack(apart)) / norm(torch.stack(size)).clamp_min(floor)


def group_pairs(pairs: Iterable[tuple[Tensor, Tensor]]) -> list[Pairs]:
    """Split pairs into groups of one device and dtype, which foreach is fast on.

    Args:
        pairs: ``(target, source)`` of the same device and dtype.
    """
    groups: dict[tuple[torch.device, torch.dtype], Pairs] = {}
    for target, source in pairs:
        targets, sources = groups.setdefault((target.device, target.dtype), ([], []))
        targets.append(target)
        sources.append(source)
    return list(groups.values())
