"""How a head learns what supervises a batch, and adds up what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mmmix.mixing.untraced import untraced
from mmmix.structures import LOSS_FACTORS, MIX_SUPERVISION, Annotations, Factors

from .supervision import Losses, Supervision
from .union import Union


class Supervised(NamedTuple):
    """What a batch is supervised by.

    Attributes:
        parts: Batches of the same N images, with their factors.
        supervision: What made them; None if no mixer was on.
        joint: Whether they share one set of samples, so that one loss takes them all.
    """

    parts: list[Annotations]
    supervision: Supervision | None = None
    joint: bool = False


@untraced
def supervise(
    batch: Annotations, own: Supervision | None, default: Supervision | None = None
) -> Supervised:
    """The parts of a batch.

    Args:
        batch: Union annotations of N images, with their mixing fields.
        own: The head's own supervision. None takes the stamp of the batch's mixer.
        default: What supervises mixed samples without a stamp; ``Union`` if None.

    Returns:
        The batch itself, as a stock head takes it, if no mixer was on; else the
        supervision's parts, the same number whatever was drawn.

    Raises:
        TypeError, ValueError: If two mixers with different supervisions met in the
            batch, or the mixing fields are invalid or contradict the supervision.
    """
    stamps = [meta.get(MIX_SUPERVISION) for meta in batch.metas]
    stamp = next((one for one in stamps if one is not None), None)
    for other in stamps:
        if other is not None and other is not stamp and other != stamp:
            raise ValueError(
                f'the samples of a batch carry two supervisions, {stamp} and {other}; '
                'give all mixers of one batch the same supervision'
            )
    if stamp is None and not batch.mixed:
        return Supervised([batch])
    supervision = own or stamp or default or Union()
    return Supervised(supervision.parts(batch), supervision, supervision.joint)


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
