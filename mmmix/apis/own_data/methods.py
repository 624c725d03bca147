"""Which methods ``mmmix init`` takes."""

from __future__ import annotations

from mmmix.apis.configs.config_path import mix_names, no_such_method

_OWN = {'alignmix': 'alignmix', 'boxmix-level': '_level', 'boxstack': 'boxstack'}
"""Methods that need more of a config than a mixer; a word of configs that have it."""


def chosen_method(given: str | None) -> str | None:
    """The method to write into a config.

    Args:
        given: What ``--mix`` says; None for no mixing.

    Raises:
        KeyError: If there is no such method.
        ValueError: If it needs more than a mixer.
    """
    if given is None:
        return None
    if given not in mix_names():
        raise KeyError(no_such_method(given))
    if given in _OWN:
        raise ValueError(
            f'--mix {given} needs settings of its own; see `mmmix configs '
            f'{_OWN[given]}`, or take another method'
        )
    return given
