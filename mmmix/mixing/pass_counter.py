"""Counters for what is drawn while data are loaded, in this process or a worker."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank, is_distributed
from torch.utils.data import get_worker_info

from .counters import runner_counter, sampler_draw

_ROWS = 256
"""Processes that count for themselves; beyond that two share a row."""

_UNSET = -1


class PassCounter:
    """Numbers draws so that no two of a run are alike, in whatever process.

    A draw is known by (seed, rank, worker, epoch, call). Calls are counted by worker
    in memory that all workers share. They begin anew with each epoch; where nobody
    tells the epoch, they go on, through passes of workers that are started anew as
    well as through those of one that lives on. So nothing repeats, and an epoch that
    is known makes the draws of an interrupted run those of one that was not.

    The epoch is what :meth:`set_epoch` said last; before that, the Runner's when the
    worker started. Seed, rank and epoch are the Runner's where this process knows
    them; a worker that was spawned knows nothing and has those of the process that
    started it.

    Where the sampler's index carries its own counters (``SeededDataset``), those take
    the place of worker and epoch, and nothing depends on the workers at all.
    """

    def __init__(self) -> None:
        # Row 0: the epoch that was set. Other rows, one a process: epoch and calls.
        self._shared = torch.full((1 + _ROWS, 2), _UNSET).share_memory_()
        self._origin = (0, 0, 0)

    def __getstate__(self) -> dict[str, Any]:
        """What a worker is spawned with: the counters of this process, too."""
        return {**self.__dict__, '_origin': self._current()}

    @property
    def epoch(self) -> int:
        """The epoch that draws are numbered by."""
        told = int(self._shared[0, 0])
        return self._current()[2] if told == _UNSET else told

    def set_epoch(self, epoch: int) -> None:
        """Tell all workers the epoch."""
        self._shared[0, 0] = epoch

    def advance(self) -> None:
        """Begin the next draw of this process."""
        draw = sampler_draw()
        if draw is not None:
            draw.calls += 1
            return
        row, epoch = self._row(), self.epoch
        calls = int(row[1]) + 1 if int(row[0]) == epoch else 0
        row[0], row[1] = epoch, calls

    def counters(self) -> tuple[int, ...]:
        """The counters of the draw that was begun last, non-negative integers."""
        draw = sampler_draw()
        if draw is not None:
            return (*draw.counters, max(0, draw.calls))
        seed, rank, _ = self._current()
        worker = get_worker_info()
        calls = max(0, int(self._row()[1]))
        return seed, rank, 0 if worker is None else worker.id, self.epoch, calls

    def _row(self) -> torch.Tensor:
        """Epoch and calls of this process."""
        worker = get_worker_info()
        return self._shared[1 + (0 if worker is None else 1 + worker.id) % _ROWS]

    def _current(self) -> tuple[int, int, int]:
        """(seed, rank, epoch) of the Runner, as far as this process knows it."""
        seed, rank, epoch = self._origin
        return (
            runner_counter('seed', seed),
            get_rank() if is_distributed() else rank,
            runner_counter('epoch', epoch),
        )
