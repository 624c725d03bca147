"""The numbers that a run has shown so far."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 20
"""Number of equal parts of [0, 1] that λ is counted in."""

MAX_POINTS = 1000
"""A curve that grows longer loses every second of its points."""

_OF_BATCH = re.compile(r', iteration (\d+)$')
"""How the title of a batch's picture ends; the first iteration is 0."""


class RunRecord:
    """Curves, mixing and the last validation of a run; kept as JSON between resumes.

    Attributes:
        curves: By name, points ``[iteration, value]``; None is a value that is not
            finite.
        mixing: Rows ``[iteration, images, mixed, counts]`` of what was mixed since
            the row before: how many images there were, how many of them were mixed,
            and their λ counted in :data:`BINS` bins.
        validations: The last summary of each model that was validated, by its name,
            ``''`` for the only one.
        pictures: File names of pictures of batches, by their title.
    """

    def __init__(self) -> None:
        self.curves: dict[str, list[list[Any]]] = {}
        self.mixing: list[list[Any]] = []
        self.validations: dict[str, dict[str, Any]] = {}
        self.pictures: dict[str, str] = {}

    def add(self, name: str, iteration: int, value: float) -> None:
        """Add a point to a curve, in the place of one of the same iteration.

        A validation that is made again after a resume gives such a one.
        """
        points = self.curves.setdefault(name, [])
        if points and points[-1][0] == iteration:
            points.pop()
        points.append([iteration, float(value) if math.isfinite(value) else None])
        if len(points) > MAX_POINTS:
            points[:] = points[::-2][::-1]

    def add_mixing(self, iteration: int, images: int, lams: Sequence[float]) -> None:
        """Add what was mixed since the last call.

        Args:
            iteration: The present one.
            images: How many there were.
            lams: λ of those that were mixed.
        """
        counts, _ = np.histogram(lams, bins=BINS, range=(0.0, 1.0))
        self.mixing.append([iteration, images, len(lams), counts.tolist()])
        if len(self.mixing) > MAX_POINTS:
            pairs = zip(self.mixing[::2], self.mixing[1::2])
            left = self.mixing[len(self.mixing) // 2 * 2 :]
            self.mixing = [_sum(*pair) for pair in pairs] + left

    def lam_counts(self) -> np.ndarray:
        """λ of all mixed images, counted in :data:`BINS` bins."""
        rows = [row[3] for row in self.mixing]
        return np.sum(rows, axis=0) if rows else np.zeros(BINS, dtype=int)

    def mixed_share(self) -> list[list[Any]]:
        """Points ``[iteration, share of the images that were mixed]``."""
        return [[row[0], row[2] / row[1]] for row in self.mixing if row[1]]

    def cut(self, iteration: int) -> None:
        """Forget what came after an iteration, from which a run goes on.

        The pictures of a validation go too: those of one that stays are drawn anew.
        """
        for points in self.curves.values():
            points[:] = [point for point in points if point[0] <= iteration]
        self.mixing = [row for row in self.mixing if row[0] <= iteration]
        self.validations = {
            name: found
            for name, found in self.validations.items()
            if found['iteration'] <= iteration
        }
        self.pictures = {
            title: name
            for title, name in self.pictures.items()
            if (match := _OF_BATCH.search(title)) and int(match[1]) < iteration
        }

    def dumps(self) -> bytes:
        """All of it as JSON."""
        return json.dumps(vars(self), allow_nan=False).encode()

    @classmethod
    def loads(cls, content: bytes) -> RunRecord:
        """Read what :meth:`dumps` wrote.

        Raises:
            ValueError: If it is no such thing.
        """
        record, found = cls(), json.loads(content)
        if not isinstance(found, dict) or found.keys() != vars(record).keys():
            raise ValueError('expected the record of a run, got other JSON')
        vars(record).update(found)
        return record


def _sum(first: list[Any], second: list[Any]) -> list[Any]:
    """Two rows of mixing as one."""
    counts = [a + b for a, b in zip(first[3], second[3])]
    return [second[0], first[1] + second[1], first[2] + second[2], counts]
