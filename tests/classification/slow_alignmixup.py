"""AlignMixup's arithmetic from its paper and the facts of its code, in slow loops.

Cost, plan, stop and mix as published, in float64 NumPy, one pair and one cell at a
time; nothing here is shared with the package.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

EPSILON, MAX_ITERATIONS, STOP, TINY = 0.1, 100, 0.1, 1e-8


class Aligned(NamedTuple):
    """What one batch gives: (N, r, r) plans times r, and (N, C, r) maps."""

    plans: np.ndarray
    carried: np.ndarray
    mixed: np.ndarray


def cost_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    cells = first.shape[1]
    cost = np.zeros((cells, cells))
    for i in range(cells):
        for j in range(cells):
            cost[i, j] = sum((a - b) ** 2 for a, b in zip(first[:, i], second[:, j]))
    return cost


def log_sum_exp(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def plans_of(costs: list[np.ndarray]) -> list[np.ndarray]:
    """Sinkhorn in potentials, rows then columns, all pairs until they stop together."""
    cells = len(costs[0])
    target = math.log(1 / cells + TINY)
    us = [np.zeros(cells) for _ in costs]
    vs = [np.zeros(cells) for _ in costs]
    for _ in range(MAX_ITERATIONS):
        moved = 0.0
        for cost, u, v in zip(costs, us, vs):
            before = u.copy()
            for i in range(cells):
                row = [(u[i] + v[j] - cost[i, j]) / EPSILON for j in range(cells)]
                u[i] += EPSILON * (target - log_sum_exp(row))
            for j in range(cells):
                column = [(u[i] + v[j] - cost[i, j]) / EPSILON for i in range(cells)]
                v[j] += EPSILON * (target - log_sum_exp(column))
            moved += np.abs(u - before).sum() / len(costs)
        if moved < STOP:
            break
    return [
        np.exp((u[:, None] + v[None, :] - cost) / EPSILON)
        for cost, u, v in zip(costs, us, vs)
    ]


def align(maps: np.ndarray, partners: list[int], lam: float, keep_own: bool) -> Aligned:
    """A batch of maps ``(N, C, r)`` mixed with its partners."""
    firsts, seconds = list(maps), [maps[j] for j in partners]
    cells = maps.shape[2]
    costs = [cost_of(a, b) for a, b in zip(firsts, seconds)]
    plans = [cells * plan for plan in plans_of(costs)]
    carried, mixed = [], []
    for a, b, plan in zip(firsts, seconds, plans):
        if keep_own:
            carried.append(b @ plan.T)
            mixed.append(lam * a + (1 - lam) * carried[-1])
        else:
            carried.append(a @ plan)
            mixed.append(lam * carried[-1] + (1 - lam) * b)
    return Aligned(np.stack(plans), np.stack(carried), np.stack(mixed))
