"""What is said where another project has registered one of mmmix's types before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

_TAKEN = re.compile(r'(\w+) is already registered in (.+) at ([\w.]+)')


@contextmanager
def told_of_taken_names() -> Iterator[None]:
    """Say which two places register one name, and what to do.

    Raises:
        ValueError: In place of the ``KeyError`` of a registry of mmengine.
    """
    try:
        yield
    except KeyError as error:
        taken = _TAKEN.search(str(error))
        if taken is None:
            raise
        name, kind, other = taken.groups()
        raise ValueError(
            f'{_registering(error.__traceback__)} registers {name} in the registry '
            f'{kind!r} of mmdet, and {other} has done so before. A name stands for one '
            f'type: register that of {other} under another, '
            f"@register_module(name='My{name}'), and use it in your configs"
        ) from error


def _registering(trace: TracebackType | None) -> str:
    """The innermost module of mmmix in a traceback, that whose type was refused."""
    ours = 'mmmix'
    while trace is not None:
        module = trace.tb_frame.f_globals.get('__name__', '')
        ours = module if module.startswith('mmmix.') else ours
        trace = trace.tb_next
    return ours
