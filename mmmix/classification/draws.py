"""Random numbers of a training step, from counters as all of mmmix draws them."""

from __future__ import annotations

import numpy as np
from mmengine.dist import get_rank

from mmmix.mixing.counters import counter_rng, runner_counter


class StepDraws:
    """Gives a fresh generator each time a training step asks for one.

    It is seeded by (seed, rank, iteration, call, stream), so a resumed run goes on
    with the draws of one that was not interrupted.

    Args:
        stream: Tells several that are asked in one iteration apart.
    """

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self._iter, self._calls = -1, 0

    def rng(self) -> np.random.Generator:
        """The generator of this call."""
        iteration = runner_counter('iter')
        self._calls = self._calls + 1 if iteration == self._iter else 0
        self._iter = iteration
        counters = (runner_counter('seed'), get_rank(), iteration, self._calls)
        return counter_rng(*counters, self.stream)
