"""Which methods ``mmmix init`` takes."""

from __future__ import annotations

from mmmix.apis.configs.config_path import mix_names, no_such_method

from .teachers import Teacher

_OWN = {'alignmix': 'alignmix', 'boxmix-level': '_level', 'boxstack': 'boxstack'}
"""Methods that need more of a config than a mixer; a word of configs that have it."""


TO_COMPARE = 'boxmix'
"""The method to compare the plain detector with; docs/choose.md says why."""

TO_COMPARE_ANY = 'lossmix_alpha-0.2'
"""The same for detectors whose heads may not read BoxMix, and between domains."""


def chosen_method(given: str | None, teacher: Teacher | None = None) -> str | None:
    """The method to write into a config.

    Args:
        given: What ``--mix`` says; None for no mixing.
        teacher: Whose mixers it is for.

    Raises:
        KeyError: If there is no such method.
        ValueError: If it needs more than a mixer, or the teacher does not take it.
    """
    if given is None:
        return None
    if teacher is not None and given not in teacher.methods:
        raise ValueError(
            f'--mix {given}: a teacher takes one of {", ".join(teacher.methods)}, none'
        )
    if given not in mix_names():
        raise KeyError(no_such_method(given))
    if given in _OWN:
        raise ValueError(
            f'--mix {given} needs settings of its own; see `mmmix configs '
            f'{_OWN[given]}`, or take another method'
        )
    return given
