"""Which method goes with which detector of ``mmmix init``."""

from __future__ import annotations

from mmmix.apis.config_path import mix_names, no_such_method

from .defaults import LOSS_METHOD, METHOD
from .detectors import Detector

NONE = 'none'
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
        return METHOD if detector.boxmix else LOSS_METHOD
    if given not in mix_names():
        raise KeyError(no_such_method(given))
    if given in _OWN:
        raise ValueError(
            f'--mix {given} needs settings of its own; see `mmmix configs {given}`, or '
            'take another method'
        )
    if given == METHOD and not detector.boxmix:
        raise ValueError(
            f'--mix {given} mixes the targets of anchors, which the head of '
            f'{detector.title} does not; take --mix {LOSS_METHOD}, or --detector ssd300'
        )
    return given
