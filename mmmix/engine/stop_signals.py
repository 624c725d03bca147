"""Signals that ask a process to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

QUEUE_AGAIN: int | None = getattr(signal, 'SIGUSR1', None)
"""Slurm's word ahead of the end, to be queued again; Windows has neither."""

STOPPING = tuple(
    number
    for number in (signal.SIGINT, signal.SIGTERM, QUEUE_AGAIN)
    if number is not None
)
"""Ctrl-C; what ends a job; and ``QUEUE_AGAIN``."""


class Stopped(SystemExit):
    """The end of a process that a signal asked for.

    Its exit code is 128 + the number of the signal, as a shell's: 130 after SIGINT
    (Ctrl-C), 143 after SIGTERM, 138 after SIGUSR1.

    Args:
        number: The signal.
        done: Finished iterations of a training that it ended; None if not known.
    """

    def __init__(self, number: int, done: int | None = None) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)
        self.done = done


class StopSignals:
    """What has been asked for, and whether to obey at once or after a while.

    ``received`` is the first signal, or None. While ``waits`` is true a first signal
    is only noted; the code that set it asks :meth:`check` where it can end. A second
    signal ends the process at once, but for SIGUSR1: Slurm may send it to a script and
    to the processes that the script hands it on to.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.waits = False

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        first = self.received is None
        if first:
            self.received = number
        if not first and self.waits and number == QUEUE_AGAIN:
            return
        if not (first and self.waits):
            raise Stopped(self.received)
        name = signal.Signals(number).name
        # Not by logging, whose locks the code that was interrupted may hold.
        text = f'\n{name}: saving, then stopping; once more ends at once\n'
        os.write(2, text.encode())

    def check(self) -> None:
        """End the process here if a signal has asked for it.

        Raises:
            Stopped: If one has.
        """
        if self.received is not None:
            raise Stopped(self.received)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Let signals end a block in order: no child is left, and nothing is half done.

    Until the block ends, SIGINT, SIGTERM and SIGUSR1 are handled by a
    :class:`StopSignals`, but for those that were ignored, as SIGINT is under
    ``nohup``. Processes that are forked meanwhile leave these signals to this one,
    which ends them: a signal to the whole group, as Ctrl-C is, would otherwise take a
    loader's workers away in the middle of an iteration.

    Raises:
        Stopped: If a signal came and nothing else ended the block.
    """
    signals = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals  # Python lets the main thread alone handle signals.
        return
    handled = [n for n in STOPPING if signal.getsignal(n) is not signal.SIG_IGN]
    with _handled_by(signals, handled):
        with _children_wait():
            yield signals
        signals.check()


@contextmanager
def no_signals() -> Iterator[None]:
    """Ignore signals that ask to end in a short block, and in processes it starts.

    For the main thread of a process that ends after it. Blocking them would not do:
    another thread would take them, and Python would raise in this one.
    """
    with _handled_by(signal.SIG_IGN, STOPPING):
        yield


@contextmanager
def _handled_by(handler: Any, numbers: Iterable[int]) -> Iterator[None]:
    """Handle signals otherwise until a block ends."""
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


_depth = 0
_registered = False


@contextmanager
def _children_wait() -> Iterator[None]:
    """Have processes that are forked in this block leave signals to their parent."""
    global _depth, _registered
    if not _registered and hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=_leave_signals_to_parent)
        _registered = True
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def _leave_signals_to_parent() -> None:
    """In a forked process: end when the parent says so, and not otherwise.

    ``Process.terminate`` of the parent, and of a pool, is SIGTERM, so that signal is
    told apart by its sender. torch's workers set a handler of their own for it; it
    is therefore blocked and awaited in a thread.
    """
    if not _depth:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    """End this process once its parent sends SIGTERM."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)
