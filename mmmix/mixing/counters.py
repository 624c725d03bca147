"""Random numbers from counters.

A generator stored in a dataset repeats in every forked worker and every epoch,
and no checkpoint saves it. A fresh generator per draw, seeded by counters such
as (seed, rank, iteration, call), gives the same draw for the same counters,
also after a resume.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.logging import MessageHub

from .untraced import untraced


class SamplerDraw:
    """The sampler's draw that is being loaded, and what was drawn for it so far.

    Attributes:
        counters: (seed, rank, draw, index), which no other draw of a run has.
        calls: Number of the latest call of a transform that draws.
    """

    def __init__(self, *counters: int) -> None:
        self.counters = counters
        self.calls = -1


_DRAW: ContextVar[SamplerDraw | None] = ContextVar('draw', default=None)


def counter_rng(*counters: int) -> np.random.Generator:
    """A fresh generator for these counters (non-negative integers)."""
    return np.random.default_rng(np.random.SeedSequence(counters))


def runner_counter(name: str, default: int = 0) -> int:
    """The running Runner's ``'seed'``, ``'iter'`` or ``'epoch'``.

    Args:
        name: Which of them.
        default: The answer where no Runner has told this process.
    """
    value = MessageHub.get_current_instance().runtime_info.get(name)
    return default if value is None else int(value)


class Stream(IntEnum):
    """Who draws in a training step; no two share their draws.

    ``MIXER`` is the one of a detector, or the first of a teacher, whose further ones
    have the numbers behind it.
    """

    MIXER = 0
    RPN = 0x100
    ROI = 0x101
    ALIGN_MIX_CLASSIFIER = 0xA11
    ALIGN_MIX_INPUTS = 0xA119
    CLASS_CUTMIX = 0xC07


class _Counted:
    """Calls that are counted from 0, whatever a Runner counts."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._calls: Counter[int] = Counter()

    def next(self, counter: CallCounter) -> tuple[int, int]:
        """The seed, and the number of a counter's next call."""
        self._calls[id(counter)] += 1
        return self._seed, self._calls[id(counter)] - 1


_COUNTED: ContextVar[_Counted | None] = ContextVar('counted', default=None)


@contextmanager
def counted_anew(seed: int) -> Iterator[None]:
    """Make every :class:`CallCounter` draw by a seed, and count from 0, for a while.

    So a loss is the same each time, which is that of no training.

    Args:
        seed: The seed.
    """
    token = _COUNTED.set(_Counted(seed))
    try:
        yield
    finally:
        _COUNTED.reset(token)


class CallCounter:
    """Numbers the calls of one iteration, and gives each its own generator.

    It is seeded by (seed, rank, iteration, call, stream), so a resumed run goes on
    with the draws of one that was not interrupted.

    Args:
        stream: Tells those who draw in one iteration apart.

    Attributes:
        stream: The same.
    """

    def __init__(self, stream: int = Stream.MIXER) -> None:
        self.stream = int(stream)
        self._iter, self._calls = -1, 0

    @untraced
    def rng(self) -> np.random.Generator:
        """The generator of the next call."""
        counted = _COUNTED.get()
        if counted is not None:
            return counter_rng(*counted.next(self), self.stream)
        iteration = runner_counter('iter')
        self._calls = self._calls + 1 if iteration == self._iter else 0
        self._iter = iteration
        counters = (runner_counter('seed'), get_rank(), iteration, self._calls)
        return counter_rng(*counters, *([self.stream] if self.stream else []))

    @untraced
    def generator(self, device: torch.device) -> torch.Generator:
        """The generator of the next call, for torch.

        Args:
            device: Where it draws.
        """
        generator = torch.Generator(device)
        generator.manual_seed(int(self.rng().integers(2**63 - 1)))
        return generator


def sampler_draw() -> SamplerDraw | None:
    """The draw that is being loaded, if the sampler's index knows which it is."""
    return _DRAW.get()


@contextmanager
def loading_draw(*counters: int) -> Iterator[None]:
    """Tell transforms for a while which draw of the sampler they load.

    Args:
        counters: (seed, rank, draw, index) of the draw.
    """
    token = _DRAW.set(SamplerDraw(*counters))
    try:
        yield
    finally:
        _DRAW.reset(token)
