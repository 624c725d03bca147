"""Random numbers from counters.

A generator stored in a dataset repeats in every forked worker and every epoch,
and no checkpoint saves it. A fresh generator per draw, seeded by counters such
as (seed, rank, iteration, call), gives the same draw for the same counters,
also after a resume.
"""

from __future__ import annotations

import numpy as np
from mmengine.logging import MessageHub


def counter_rng(*counters: int) -> np.random.Generator:
    """A fresh generator for these counters (non-negative integers)."""
    return np.random.default_rng(np.random.SeedSequence(counters))


def runner_counter(name: str) -> int:
    """The running Runner's ``'seed'``, ``'iter'`` or ``'epoch'``; 0 without one."""
    return int(MessageHub.get_current_instance().get_info(name, 0) or 0)
