"""Which method goes with which detector of ``mmmix init``."""

from __future__ import annotations

from mmmix.apis.config_path import mix_names, no_such_method

from .config_text import UNWEIGHED
from .defaults import METHOD, WRAPPED_METHOD
from .detectors import Detector

NONE = 'none'
_WHOLE = ('lossmix', 'lossmix_alpha-0.2', 'cutmix')
"""Methods that weigh whole losses, which any wrapped detector has."""
_OWN = ('alignmix', 'boxmix-level', 'boxstack')
"""Methods that need more of a config than a mixer."""


def chosen_method(detector: Detector, given: str | None) -> str | None:
    """The method to write into a config.

    Args:
        detector: What is trained.
        given: What ``--mix`` says; None for the default, ``'none'`` for no mixing.

    Raises:
        KeyError: If there is no such method.
        ValueError: If it does not go with the detector.
    """
    if given == NONE:
        return None
    if given is None:
        return WRAPPED_METHOD if detector.wrapped else METHOD
    if given not in mix_names():
        raise KeyError(no_such_method(given))
    if given in _OWN:
        raise ValueError(
            f'--mix {given} needs settings of its own; see `mmmix configs {given}`, or '
            'take another method'
        )
    if detector.wrapped and given not in (*_WHOLE, *UNWEIGHED):
        fit = ', '.join(name for name in (*_WHOLE, *UNWEIGHED) if name not in _OWN)
        raise ValueError(
            f'--mix {given} does not reach the head of {detector.title}, which is '
            f'wrapped; take one of {fit}, or --detector ssd300'
        )
    return given
