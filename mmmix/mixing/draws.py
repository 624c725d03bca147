"""Which samples of a batch mix with which, and by how much."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PAIRINGS = ('shuffle', 'permutation', 'roll', 'reverse')


def draw_partners(rng: np.random.Generator, size: int, pairing: str) -> NDArray[Any]:
    """Pair a batch with a permutation of itself (LossMix suppl. A).

    Args:
        rng: Source of randomness; ``'roll'`` and ``'reverse'`` draw nothing.
        size: N.
        pairing: ``'shuffle'`` is one random cycle through all samples, so that
            none is left with itself; ``'permutation'`` is any permutation, as in
            the papers' code, where on average one sample meets itself; ``'roll'``
            shifts by one; ``'reverse'`` leaves the middle of an odd batch with
            itself.

    Returns:
        N indices; sample i mixes with sample ``partners[i]``.
    """
    order = np.arange(size)
    if pairing == 'roll':
        return np.roll(order, -1)
    if pairing == 'reverse':
        return order[::-1].copy()
    cycle = rng.permutation(size)
    if pairing == 'permutation':
        return cycle
    partners = np.empty(size, dtype=np.int64)
    partners[cycle] = np.roll(cycle, -1)
    return partners


def draw_lam(rng: np.random.Generator, size: int, ratio: Any) -> NDArray[Any]:
    """Draw ``size`` values of λ, float64.

    Raises:
        ValueError: If the ratio gives a value outside [0, 1] or NaN.
    """
    lam = np.asarray(ratio(rng, size), dtype=np.float64)
    if not ((lam >= 0) & (lam <= 1)).all():
        raise ValueError(f'λ must lie in [0, 1], got {lam} from ratio {ratio!r}')
    return lam


def draw_chosen(
    rng: np.random.Generator, size: int, prob: float, fraction: float | None
) -> NDArray[Any]:
    """Mask of the samples that are mixed, ``(N,)`` bool.

    ``fraction`` takes exactly ⌊fraction N⌋ samples at random (½ is LossMix-Reg,
    LossMix suppl. B); otherwise each sample is taken with probability ``prob``.
    """
    if fraction is None:
        return rng.random(size) < prob
    # 0.58 of 50 are 29, which the product is just below.
    return rng.permutation(size) < int(fraction * size + 1e-9)


def draw_centres(rng: np.random.Generator, size: int) -> NDArray[Any]:
    """Middles of the regions that CutMix pastes, ``(N, 2)`` in [0, 1), as (y, x).

    CutMix suppl., alg. A1, l. 6-7: uniform over the image.
    """
    return rng.random((size, 2))
