"""Errors that mmmix raises itself, said in a line: their text tells what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRACEBACK = 'MMMIX_TRACEBACK'
"""Environment variable that has errors shown with the lines they come from."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say an error of ours in a line behind the program's name, and end with code 1.

    Raises:
        SystemExit: With code 1, after an error of ours. Errors of others, and all of
            them if ``MMMIX_TRACEBACK`` is set, stay as they are.
    """
    try:
        yield
    except (LookupError, OSError, TypeError, ValueError) as error:
        if not said_by_us(error) or os.environ.get(TRACEBACK):
            raise
        sys.stderr.write(f'\n{_program()}: {text_of(error)}\n')
        raise SystemExit(1) from error


def _program() -> str:
    """What this program is called by who has started it."""
    called = sys.argv[0]
    return called if called.startswith('mmmix ') else Path(called).name


def said_by_us(error: BaseException) -> bool:
    """Whether mmmix raised an error itself, whose text then says what to do."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    file = Path(frame.tb_frame.f_code.co_filename) if frame else Path()
    return Path(__file__).parents[1] in file.parents


def text_of(error: BaseException) -> str:
    """What an error says; a ``KeyError`` would quote it."""
    return str(error.args[0]) if isinstance(error, KeyError) else str(error)
