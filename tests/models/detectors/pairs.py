"""Pairs of mixed samples for a detector under its wrapper."""

from __future__ import annotations

from . import zoo

LAM = 0.3


def batch(lams=(LAM, LAM), with_masks=False):
    """Two images and their mixed samples."""
    sides = [
        [zoo.objects(10 * side + i, n, with_masks) for i, n in enumerate(counts)]
        for side, counts in enumerate(((3, 2), (2, 4)))
    ]
    samples = [
        zoo.mixed(*pair, i, lam) for i, (*pair, lam) in enumerate(zip(*sides, lams))
    ]
    return zoo.images(2), samples
