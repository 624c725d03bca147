"""VOC's mean AP without processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mmdet.evaluation.functional import mean_ap


class _SerialPool:
    """What ``eval_map`` asks of ``multiprocessing.Pool``, done in this process.

    Args:
        processes: Not used.
    """

    def __init__(self, processes: int | None = None) -> None:
        pass

    def starmap(self, function: Callable, arguments: Iterable[tuple]) -> list[Any]:
        """Call a function with each tuple of arguments."""
        return [function(*args) for args in arguments]

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def serial_eval_map() -> Iterator[None]:
    """Keep mmdet's ``eval_map``, and so ``VOCMetric``, in this process.

    It forks a pool for each IoU threshold, and never ends it. A Ctrl-C in the middle
    of that is lost, or leaves the pool waiting for ever. The pool also costs more
    than it saves: matching is fast, copying the process and the detections is not.
    The results are the same.
    """
    pool, mean_ap.Pool = mean_ap.Pool, _SerialPool
    try:
        yield
    finally:
        mean_ap.Pool = pool
