"""The arithmetic of AlignMixup on the last feature maps of a classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmmix.functional.sinkhorn import transport_plan

PUBLISHED = dict(
    epsilon=0.1,
    iterations=100,
    absolute=True,
    tolerance=0.1,
    check_every=1,
    close_rows=False,
)
"""Sinkhorn's settings in the authors' code (github.com/shashankvkt/AlignMixup_CVPR22):
ε = 0.1 in the units of the cost, at most 100 iterations, stopped where the rows'
potentials move by less than 0.1 in sum, and the plan taken as that leaves it."""


def mix_aligned(
    maps: Tensor, partners: Tensor, lam: float, keep_own: bool, **plan: Any
) -> Tensor:
    """Features of each image, mixed with its partner's where they correspond.

    With the assignment R of A's cells to those of A' (AlignMixup, sec. 3), either

        λ A + (1 - λ) A' Rᵀ    the image keeps its own geometry, or
        λ A R + (1 - λ) A'     it takes that of its partner.

    R has no gradient, A and A' have.

    Args:
        maps: ``(N, C, H, W)``.
        partners: ``(N,)`` indices: A' of image i is ``maps[partners[i]]``.
        lam: λ in [0, 1], the weight of the image itself.
        keep_own: Which of the two.
        **plan: Settings of :func:`mmmix.functional.sinkhorn.transport_plan`. With
            ``close_rows`` the cells that are kept are its rows, so that what is carried
            to each of them is a convex combination in either case.

    Returns:
        ``(N, C, H, W)``.

    Raises:
        ValueError: If a setting of the plan is out of range.
    """
    own = maps.flatten(2)
    other = own[partners]
    kept, carried = (own, other) if keep_own else (other, own)
    if keep_own or plan.get('close_rows', True):
        rows = transport_plan(kept, carried, **plan)
    else:
        rows = transport_plan(carried, kept, **plan).transpose(1, 2)
    # Autocast would multiply a plan by features in half precision.
    with torch.autocast(maps.device.type, enabled=False):
        aligned = torch.bmm(carried.float(), rows.transpose(1, 2)).to(maps)
    weight = lam if keep_own else 1.0 - lam
    return torch.lerp(aligned, kept, weight).view_as(maps)
