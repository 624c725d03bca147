"""An index that knows which draw of a sampler it is."""

from __future__ import annotations


class DrawIndex(int):
    """The index of a dataset's item, with the number of its draw.

    A plain int to every dataset. ``SeededDataset`` also reads the four counters
    that come with it; they travel to the workers inside the index, so it does not
    matter when and how a worker was started.

    Args:
        index: The item.
        draw: How many items this process drew before.
        seed: The sampler's seed.
        rank: The process that draws.
    """

    draw: int
    seed: int
    rank: int

    def __new__(cls, index: int, draw: int, seed: int = 0, rank: int = 0) -> DrawIndex:
        """Make the int and give it its counters."""
        self = super().__new__(cls, index)
        self.draw, self.seed, self.rank = draw, seed, rank
        return self

    def __getnewargs__(self) -> tuple[int, int, int, int]:
        """What pickling and copying make it anew from."""
        return int(self), self.draw, self.seed, self.rank

    @property
    def counters(self) -> tuple[int, int, int, int]:
        """(seed, rank, draw, index), which no other draw of a run has."""
        return self.seed, self.rank, self.draw, int(self)
