"""How far the training of a teacher and its student is."""

from __future__ import annotations

from typing import NamedTuple


class TeacherProgress(NamedTuple):
    """What ``MixTeacherHook`` tells a model before a training and every iteration.

    Both numbers come from the Runner and the config, so a resumed run is told
    the same as one that was never stopped.
    """

    iteration: int
    """Finished training iterations."""

    burn_in: int
    """Iterations in which only the student learns, from labels alone."""

    @property
    def burning_in(self) -> bool:
        """Whether the teacher is not there yet."""
        return self.iteration < self.burn_in

    @property
    def adapting_for(self) -> int:
        """Finished iterations since the teacher was there; 0 during burn-in."""
        return max(0, self.iteration - self.burn_in)
