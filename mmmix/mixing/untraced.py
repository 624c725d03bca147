"""What ``torch.compile`` leaves alone in a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec('P')
T = TypeVar('T')


def untraced(function: Callable[P, T]) -> Callable[P, T]:
    """Have a compiled step call a function as it is.

    λ and the counters of its draws are numbers of Python and new in each iteration. A
    graph holds for the values that it was traced with, so whoever reads them in a step
    has it compiled again and again, until its limit of graphs is reached. In a tensor
    they are no part of a graph: that is the border between what is traced and what not.
    So it is with boxes, whose number graphs hold for too, until priors have targets.

    Args:
        function: Reads such numbers, or boxes. What it computes is not sped up.

    Returns:
        The same for all who do not compile.
    """
    # Not torch.compiler.disable, which imports the compiler, in seconds, at once. Of
    # torch 2.1; before that it is traced.
    lazily = getattr(torch, '_disable_dynamo', None)
    return function if lazily is None else lazily(function)
