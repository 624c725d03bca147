"""Config files that cannot be read, told with the place of the fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb

import addict
import mmengine

from mmmix.apis.plain_errors import said_by_us, text_of

_READERS = tuple(Path(module.__file__).parent for module in (mmengine, addict))
_KEPT = (AttributeError, FileNotFoundError)
_HINTS = {
    "no attribute 'supervision'": (
        'no base has `supervision` any more, `mix` holds it. Leave '
        'supervision=_base_.supervision out of the heads and keep '
        'model=dict(data_preprocessor=dict(batch_augments=[_base_.mix])); for '
        "another one, [dict(_base_.mix, supervision=dict(type='LossMix'))]"
    )
}
"""What to say of configs that were written for 0.1.0, by what their errors say."""


@contextmanager
def told_with_place(config: str) -> Iterator[None]:
    """Say which file is wrong, and where, in place of a traceback through mmengine.

    Args:
        config: The file that is read in the block.

    Raises:
        AttributeError: If it asks a base for something that it has not.
        FileNotFoundError: If a file that it inherits from is missing.
        ImportError: With what mmmix says of a failed import, if it has said it:
            mmengine's account is that PYTHONPATH should be set, whatever the reason.
        ValueError: If the file, or one that it inherits from or imports, is wrong: it
            is not Python, or its own lines or mmengine stop at it. An error of mmmix,
            of another import, or from deeper in a module that a config imports stays
            as it is.
    """
    try:
        yield
    except ImportError as error:
        ours = next(filter(said_by_us, _causes(error)), error)
        if ours is error:
            raise
        raise ImportError(str(ours)) from error
    except Exception as error:
        place = _syntax(error) if isinstance(error, SyntaxError) else _place(error)
        if place is None:
            raise
        kinds = (kind for kind in _KEPT if isinstance(error, kind))
        kind = next(kinds, ValueError)
        file, line = place or (config, None)
        where = f' (line {line})' if line else ''
        raise kind(f'{file}: {_said(error)}{where}') from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it was raised from, the latest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _syntax(error: SyntaxError) -> tuple[str, int] | None:
    """The file and the line that are not Python; None if it is no config's."""
    unnamed = '<unknown>'  # mmengine parses texts without the name of their file
    if error.filename != unnamed:
        return None
    read = [frame.f_locals.get('filename') for frame, _ in walk_tb(error.__traceback__)]
    return [name for name in read if name not in (None, unnamed)][-1], error.lineno


def _place(error: Exception) -> tuple[str, int] | tuple[()] | None:
    """The file and line of a config that end in an error; empty if mmengine's own do.

    None if neither of them does.
    """
    lines = [
        (Path(frame.f_code.co_filename), frame.f_code.co_name, line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    reads = [any(root in file.parents for root in _READERS) for file, _, _ in lines]
    runs = [
        index
        for index, (_, name, _) in enumerate(lines)
        if name == '<module>' and not reads[index]
    ]
    if not runs:
        return () if reads[-1] else None
    config = lines[runs[0]][0]
    own = [line for file, _, line in lines[runs[0] :] if file == config]
    others = len(lines) - runs[0] - len(own) - sum(reads[runs[0] :])
    return None if others else (str(config), own[-1])


def _said(error: Exception) -> str:
    """What an error says, with its kind where Python raises it, or what to do."""
    text = error.msg if isinstance(error, SyntaxError) else text_of(error)
    hints = (hint for words, hint in _HINTS.items() if words in text)
    named = f'{type(error).__name__}: {text}'
    return next(hints, named if isinstance(error, (NameError, LookupError)) else text)
