"""One number on which the processes of a run agree while they go on."""

from __future__ import annotations

from collections.abc import Sized
from datetime import timedelta

import torch
from mmengine.dist import get_dist_info
from torch import distributed as dist

from mmmix.engine.stop_signals import StopSignals

_HOUR = timedelta(hours=1)


class StopAgreement:
    """The greatest signal number that any process of a run has received.

    Each process asks once an iteration, by a maximum that is exchanged in the
    background while the next iteration is made. The numbers are on the host, in a
    group of their own: neither the device nor the gradients are waited for.

    Args:
        signals: What this process received.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals
        self.alone = get_dist_info()[1] == 1
        self._work: dist.Work | None = None
        self._number = torch.zeros(1, dtype=torch.int)
        self._rounds = 0
        if not self.alone:
            self._group = dist.new_group(backend='gloo', timeout=_HOUR)

    def after_iteration(self) -> int:
        """What all had received one iteration ago; 0 for nothing.

        A process alone need not wait for an answer.
        """
        if self.alone:
            return self._signals.received or 0
        number = self._answer()
        self._ask()
        return number

    def now(self) -> int:
        """What all have received by now; 0 for nothing."""
        if self.alone:
            return self._signals.received or 0
        before = self._answer()
        self._ask()
        return max(before, self._answer())

    def begin_epoch(self, batches: Sized) -> None:
        """Count the batches that all processes have: they ask as often as that.

        Args:
            batches: The loader of an evaluation, whose parts may differ in length.
        """
        if self.alone:
            return
        try:
            length = len(batches)
        except TypeError:  # A stream, whose end nobody knows.
            length = 0
        fewest = torch.tensor([length], dtype=torch.int)
        dist.all_reduce(fewest, dist.ReduceOp.MIN, group=self._group)
        self._rounds = int(fewest)

    def after_batch(self, index: int) -> int:
        """As :meth:`after_iteration`, in an epoch that was begun.

        Args:
            index: Number of the batch, from 0 on.
        """
        if self.alone or index < self._rounds:
            return self.after_iteration()
        return 0

    def meet(self) -> None:
        """Wait until all processes have come here."""
        if not self.alone:
            dist.barrier(group=self._group)

    def _ask(self) -> None:
        self._number = torch.tensor([self._signals.received or 0], dtype=torch.int)
        self._work = dist.all_reduce(
            self._number, dist.ReduceOp.MAX, group=self._group, async_op=True
        )

    def _answer(self) -> int:
        if self._work is not None:
            self._work.wait()
            self._work = None
        return int(self._number)
