"""How a head learns what supervises a batch, and adds up what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmmix.structures import LOSS_FACTORS, Annotations, Factors

from .supervision import Losses, Parts, Supervision
from .union import Union


def supervise(
    batch: Annotations, own: Supervision | None, default: Supervision | None = None
) -> Parts:
    """The parts of a batch.

    Args:
        batch: Union annotations of N images, with their mixing fields.
        own: The head's own supervision. None takes the stamp of the batch's mixer.
        default: What supervises mixed samples without a stamp; ``Union`` if None.

    Returns:
        The batch itself, as a stock head takes it, if no mixer was on; else the
        supervision's parts, the same number whatever was drawn.

    Raises:
        TypeError, ValueError: If the mixing fields are invalid or contradict the
            supervision.
    """
    stamp = batch.supervision
    if stamp is None and not batch.mixed:
        return Parts([batch])
    return (own or stamp or default or Union())(batch)


def image_factors(part: Annotations) -> list[Factors] | None:
    """Factors of the images of a part; None if all of its terms count in full."""
    if not any(LOSS_FACTORS in meta for meta in part.metas):
        return None
    return [meta.get(LOSS_FACTORS, Factors(1.0, 1.0)) for meta in part.metas]


def sum_losses(passes: Sequence[Losses]) -> Losses:
    """The losses of all parts, added up by name.

    A pass may lack a term: a RoI head without RoIs gives no ``loss_cls``.
    """
    if len(passes) == 1:
        return passes[0]
    names = dict.fromkeys(name for losses in passes for name in losses)
    return {
        name: _total([losses[name] for losses in passes if name in losses])
        for name in names
    }


def _total(values: list[Any]) -> Any:
    """Sum of the passes; mmdet gives lists per image or per level."""
    if isinstance(values[0], (list, tuple)):
        return [_total(list(parts)) for parts in zip(*values)]
    return sum(values[1:], values[0])
