"""``activation_checkpointing`` of a config, with the gradients of all weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import mmengine.runner.runner as stock
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmmix.apis.replacing import replaced


def whole_gradients() -> AbstractContextManager[None]:
    """Have Runners compute activations again without losing gradients, in a block.

    mmengine takes torch's reentrant form. In it a module whose inputs need no gradient,
    as images do not, or are a tuple of maps, has none itself: backbone and heads would
    stay at the weights that they begin with, and the losses look as ever.
    """
    return replaced(stock, 'turn_on_activation_checkpointing', recompute)


def recompute(model: nn.Module, modules: str | Sequence[str]) -> None:
    """Have parts of a model compute their activations again in the backward pass.

    Args:
        model: Its parts are changed.
        modules: Their names, such as ``'backbone'`` or ``'backbone.layer1'``.

    Raises:
        KeyError: If the model has no such part.
    """
    parts = dict(model.named_modules())
    for name in [modules] if isinstance(modules, str) else modules:
        if name not in parts:
            raise KeyError(
                f'activation_checkpointing: the model has no {name!r}; expected names '
                f'of its parts, such as {[key for key, _ in model.named_children()]}'
            )
        parts[name].forward = _recomputed(parts[name].forward)


def _recomputed(forward: Callable) -> Callable:
    @functools.wraps(forward)
    def call(*args: Any, **kwargs: Any) -> Any:
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)

    return call
