"""What a run logs of its training, as points of curves."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.logging import HistoryBuffer, MessageHub

PREFIX = 'train/'


class LoggedCurves:
    """Means of what was logged since the last point of each curve.

    Not every value is logged in every iteration, and some are logged no more, such as
    the losses of a term that is no longer trained: their curves end.

    Args:
        hub: Of the run, which holds what was logged.
        most: A point is the mean of so many of the latest values at most.
    """

    def __init__(self, hub: MessageHub, most: int) -> None:
        self._hub, self._most = hub, most
        self._lengths: dict[str, int] = {}
        for name, buffer in hub.log_scalars.items():  # before a resume
            self._fresh(name, buffer)

    def points(self) -> Iterator[tuple[str, float]]:
        """Name and mean of each curve that has a new value."""
        for name, buffer in self._hub.log_scalars.items():
            fresh = self._fresh(name, buffer)
            if fresh and name.startswith(PREFIX) and not name.endswith('time'):
                yield name, float(buffer.mean(fresh))

    def _fresh(self, name: str, buffer: HistoryBuffer) -> int:
        """How many values there are that no point has."""
        length, before = len(buffer.data[0]), self._lengths.get(name, 0)
        self._lengths[name] = length
        if length < before or length == buffer.max_length:  # made anew, or full
            return min(length, self._most)
        return min(length - before, self._most)
