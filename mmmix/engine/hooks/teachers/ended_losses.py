"""Losses of terms that are no longer trained, whose last values a log would repeat."""

from __future__ import annotations

from collections.abc import Iterable

from mmengine.logging import MessageHub

OUTPUTS = 'teacher_outputs'
"""Key of ``message_hub``, and so of checkpoints: what the last iteration returned."""


def forget_ended(hub: MessageHub, outputs: Iterable[str]) -> None:
    """Take out of the log what a model has returned before and returns no more.

    So are the losses of a warm-up, and those of a term between two batches once its
    mixer is switched off. mmengine would write their last values for good.

    Args:
        hub: Of the run.
        outputs: The names that the present iteration has returned.
    """
    names = sorted(outputs)
    before = hub.get_info(OUTPUTS) or []
    if names == before:
        return
    for name in set(before).difference(names):
        hub.log_scalars.pop(f'train/{name}', None)
    hub.update_info(OUTPUTS, names)
