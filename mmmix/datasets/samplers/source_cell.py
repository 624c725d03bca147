"""The images of one source that may share a batch, in their drawing order."""

from __future__ import annotations

import numpy as np

from mmmix.mixing.counters import counter_rng


class SourceCell:
    """An endless stream over a set of indices, readable at any position.

    Every pass is a permutation of its own, seeded by ``counters`` and the number
    of the pass, so position p costs the same wherever p lies.

    Args:
        indices: The dataset's indices in this cell, at least one.
        shuffle: Whether passes are shuffled.
        counters: Seeds of this cell, non-negative.

    Attributes:
        batches: How many batches it gave images to; its user counts.
    """

    def __init__(
        self, indices: np.ndarray, shuffle: bool, counters: tuple[int, ...]
    ) -> None:
        self.indices = indices
        self.batches = 0
        self._shuffle = shuffle
        self._counters = counters
        self._pass_number, self._pass = -1, indices

    def __len__(self) -> int:
        return len(self.indices)

    def at(self, position: int) -> int:
        """The index at a position of the stream."""
        number, place = divmod(position, len(self.indices))
        if self._shuffle and number != self._pass_number:
            rng = counter_rng(*self._counters, number)
            self._pass = rng.permutation(self.indices)
            self._pass_number = number
        return int(self._pass[place])
