"""Optimal transport between the cells of two feature maps (AlignMixup).

"AlignMixup: Improving Representations by Interpolating Aligned Features"
(https://arxiv.org/abs/2103.15375). Shape shorthand: N pairs of maps, C channels,
r and r' cells. Component 0 is A, component 1 is A'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """‖a_i - a'_j‖² of all cells, in memory that is linear in the channels.

    The two maps are centred together before, which changes no distance and keeps
    the products small, so that little is lost to rounding.

    Args:
        first: ``(N, C, r)``, floating point.
        second: ``(N, C, r')``.

    Returns:
        ``(N, r, r')`` float32, not below 0.
    """
    middle = first.mean(dim=2, keepdim=True)
    first, second = first - middle, second - middle
    lengths = [part.square().sum(dim=1) for part in (first, second)]
    cost = torch.baddbmm(
        lengths[0][:, :, None] + lengths[1][:, None, :],
        first.transpose(1, 2),
        second,
        alpha=-2,
    )
    return cost.clamp_(min=0)


@torch.no_grad()
def transport_plan(
    first: Tensor,
    second: Tensor,
    epsilon: float = 0.05,
    iterations: int = 100,
    valid: tuple[Tensor, Tensor] | None = None,
    *,
    absolute: bool = False,
    tolerance: float | None = None,
    check_every: int | None = None,
    close_rows: bool = True,
) -> Tensor:
    """Assignment R of A's cells to those of A': r P*, each row a distribution.

    P* minimises ⟨P, M⟩ - ε H(P) over the plans of uniform marginals, with the
    squared distances M divided by their mean, unless ``absolute``; so R does not
    depend on the scale of the features. Sinkhorn's iterations run in the log domain,
    in float32 also under autocast, on the device, and without ``tolerance`` a fixed
    number of them: nothing waits for the device. They end with the rows, so that
    every row sums to 1 and a column of A' Rᵀ is a convex combination of columns of
    A'. R has no gradient.

    The code of AlignMixup (github.com/shashankvkt/AlignMixup_CVPR22) has
    ``epsilon=0.1, absolute=True, tolerance=0.1, check_every=1, close_rows=False``.

    Args:
        first: ``(N, C, r)``, the maps A.
        second: ``(N, C, r')``, the maps A'.
        epsilon: ε, above 0: relative to the mean distance, or in its units if
            ``absolute``. A larger one blurs.
        iterations: Updates of both marginals, at least 1.
        valid: ``(N, r)`` and ``(N, r')`` bool: cells that take part. Each image
            needs one of either. Columns of other cells are 0; other rows are
            distributions too, but without meaning.
        absolute: Whether M are the squared distances as they are.
        tolerance: Stop where ``Σ_i |Δu_i|``, the mean over pairs, is below it, u being
            the rows' potentials in units of M. An update moves u_i by ε times the
            logarithm of what row i lacked, so rows were off by at most
            tolerance / ε, relatively. None makes all iterations.
        check_every: Look after every so many iterations, not after the first; 10 if
            None. A look waits for the device. Only with ``tolerance``.
        close_rows: Update the rows once more at the end. Otherwise R is r times the
            plan of the last iteration, whose columns sum to r / r' and whose rows
            sum to 1 as nearly as the iterations came.

    Returns:
        ``(N, r, r')`` float32.

    Raises:
        ValueError: If a setting is out of range or the shapes do not fit.
    """
    _check_maps(first, second)
    check_plan(epsilon, iterations, tolerance, check_every)
    if valid is not None and not close_rows:
        raise ValueError('close_rows=False takes all cells; leave valid out')
    with torch.autocast(first.device.type, enabled=False):
        score = squared_distances(first.float(), second.float())
        marginals = _log_marginals(score, valid)
        _to_scores(score, marginals, epsilon, absolute)
        steps = _sinkhorn(score, marginals)
        row, column = next(steps)
        for done in range(2, iterations + 1):
            before, (row, column) = row, next(steps)
            if tolerance is None or done % (check_every or 10):
                continue
            if epsilon * _moved(before, row) < tolerance:
                break
        score.add_(column[:, None, :])
        if close_rows:
            return score.softmax(dim=2)
        return score.add_(row[:, :, None]).exp_().mul_(score.shape[1])


def _sinkhorn(
    score: Tensor, log_marginals: tuple[Tensor, Tensor]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Potentials after each iteration, in units of ε.

    A cell that takes no part has log-mass -∞.
    """
    rows, column = log_marginals
    columns = column
    while True:
        row = rows - (score + column[:, None, :]).logsumexp(dim=2)
        column = columns - (score + row[:, :, None]).logsumexp(dim=1)
        yield row, column


def _moved(before: Tensor, after: Tensor) -> float:
    """Sum over cells of the change of their potentials, the mean over pairs."""
    change = torch.where(after.isfinite(), after - before, 0)
    return float(change.abs().sum(dim=1).mean())


def _check_maps(first: Tensor, second: Tensor) -> None:
    if first.dim() != 3 or first.shape[:2] != second.shape[:2] or second.dim() != 3:
        raise ValueError(
            'expected maps of shape (N, C, cells) that agree in N and C, got '
            f'{tuple(first.shape)} and {tuple(second.shape)}'
        )


def check_plan(
    epsilon: float,
    iterations: int,
    tolerance: float | None,
    check_every: int | None,
) -> None:
    """Make sure that a plan can be made with these settings.

    Args:
        epsilon: As :func:`transport_plan`.
        iterations: Likewise.
        tolerance: Likewise.
        check_every: Likewise.

    Raises:
        ValueError: Naming the one that is out of range or has no effect.
    """
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise ValueError(f'epsilon must be above 0 and finite, got {epsilon}')
    if iterations < 1:
        raise ValueError(f'iterations must be at least 1, got {iterations}')
    if tolerance is not None and not (tolerance > 0 and math.isfinite(tolerance)):
        raise ValueError(f'tolerance must be above 0 and finite, got {tolerance}')
    if check_every is None:
        return
    if isinstance(check_every, bool) or check_every < 1:
        raise ValueError(f'check_every must be at least 1, got {check_every}')
    if tolerance is None:
        raise ValueError(
            f'check_every={check_every} says how often to look at tolerance, which is '
            'None: give tolerance, or leave check_every out'
        )


def _log_marginals(
    cost: Tensor, valid: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """Logarithms of the uniform marginals, ``(N, r)`` and ``(N, r')``."""
    if valid is None:
        rows, columns = (
            cost.new_full((len(cost), cells), -math.log(cells))
            for cells in cost.shape[1:]
        )
    else:
        masses = (mask.to(cost) for mask in valid)
        rows, columns = (
            (mass / mass.sum(dim=1, keepdim=True)).log() for mass in masses
        )
    return rows, columns


def _to_scores(
    cost: Tensor,
    log_marginals: tuple[Tensor, Tensor],
    epsilon: float,
    absolute: bool,
) -> None:
    """Turn costs in place into -M / ε.

    M has a mean of 1 over the cells that count, or, ``absolute``, is the cost.
    """
    if not absolute:
        rows, columns = (log_mass.exp() for log_mass in log_marginals)
        mean = torch.einsum('ni,nij,nj->n', rows, cost, columns)
        tiny = torch.finfo(cost.dtype).tiny
        cost.div_(mean.clamp(min=tiny)[:, None, None])
    cost.div_(-epsilon)
