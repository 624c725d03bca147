"""Errors that mmmix raises itself, said in a line: their text tells what to do."""

from __future__ import annotations

import dis
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

TRACEBACK = 'MMMIX_TRACEBACK'
"""Environment variable that has errors shown with the lines they come from."""
_ERRORS = (LookupError, OSError, TypeError, ValueError)
_RAISED = (AttributeError, ImportError, RuntimeError)
"""Errors that an operation or an ``import`` in our code ends in too."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say an error of ours in a line behind the program's name, and end with code 1.

    Until the block ends and after it, what the output's encoding does not have, a λ in
    Windows' say, is printed as an escape: a command does not end over a letter.

    Raises:
        SystemExit: With code 1, after an error of ours. Errors of others, and all of
            them if ``MMMIX_TRACEBACK`` is set, stay as they are.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        yield
    except BrokenPipeError:  # of who reads the output, and nobody's fault
        raise
    except (*_ERRORS, *_RAISED) as error:
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
    if frame is None:
        return False
    if isinstance(error, _RAISED) and not _is_raise(frame):
        return False
    return Path(__file__).parents[1] in Path(frame.tb_frame.f_code.co_filename).parents


def _is_raise(frame: TracebackType) -> bool:
    """Whether an error is from a ``raise`` and not from what a line of code does."""
    code = frame.tb_frame.f_code.co_code
    return dis.opname[code[frame.tb_lasti]] == 'RAISE_VARARGS'


def text_of(error: BaseException) -> str:
    """What an error says, without the quotes of a ``KeyError``; else what it is."""
    quoted = isinstance(error, KeyError) and error.args
    return str(error.args[0] if quoted else error) or type(error).__name__
