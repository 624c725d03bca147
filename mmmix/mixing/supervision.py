"""The supervision that a mixer carries; mixers and heads build it alike."""

from __future__ import annotations

from typing import Any

from mmmix.registry import SUPERVISIONS, build_from


def build_supervision(supervision: Any) -> Any:
    """Build a supervision from its config; None is ``Union``.

    Args:
        supervision: A dict with ``type``, a built supervision, or None.

    Raises:
        TypeError, KeyError, ValueError: If the config is wrong.
    """
    if supervision is None:
        supervision = dict(type='Union')
    return build_from(SUPERVISIONS, supervision, 'supervision')
