"""Arguments of commands that are read by a function of their own."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from mmengine.config import DictAction

_MAX_SEED = 2**32 - 1
"""What numpy takes."""
_SPACE = '\ue000'
"""Stands for a space where mmengine would drop it; no letter of any language."""

T = TypeVar('T')


def argument(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A ``type`` of argparse, which shows the message of its own error alone.

    Args:
        parse: Reads the text of an argument; raises a ``ValueError`` that says what
            was expected.
    """

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(error) from error

    return read


def option(text: str) -> str:
    """A ``KEY=VALUE`` as it was given, which mmengine can read.

    Raises:
        ValueError: If it has another form, or brackets that do not pair.
    """
    key, equals, value = text.partition('=')
    if not equals or not key.strip('.'):
        raise ValueError(f'expected KEY=VALUE, got {text!r}')
    try:
        DictAction._parse_iterable(value)
    except AssertionError as error:
        raise ValueError(
            f'{text}: each ( and [ needs its ) and ], and a value with spaces quotes '
            'around KEY=VALUE'
        ) from error
    return text


def read_seed(text: str) -> int:
    """A seed that every random generator takes.

    Raises:
        ValueError: If it is none.
    """
    if not text.isdecimal() or int(text) > _MAX_SEED:
        raise ValueError(f'expected a whole number from 0 to {_MAX_SEED}, got {text!r}')
    return int(text)


def read_count(text: str) -> int:
    """A number of things of which there is one at least.

    Raises:
        ValueError: If it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f'expected a whole number of at least 1, got {text!r}')
    return int(text)


def read_score(text: str) -> float:
    """A score, or a threshold of scores.

    Raises:
        ValueError: If it is no number from 0 to 1.
    """
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:  # neither is nan
        raise ValueError(f'expected a number from 0 to 1, got {text!r}')
    return score


COUNT, SCORE, SEED = map(argument, (read_count, read_score, read_seed))
"""Types of argparse."""


def each_once(values: Iterable[T], key: str) -> list[T]:
    """Values of an argument in their order; a second time would count them twice.

    Args:
        values: The values.
        key: The argument, for the message.

    Raises:
        ValueError: If two numbers agree in six digits, by which results are named.
    """
    once = list(dict.fromkeys(values))
    named: dict[str, T] = {}
    for value in once:
        name = f'{value:g}' if isinstance(value, float) else str(value)
        if named.setdefault(name, value) != value:
            raise ValueError(
                f'{key}: expected values that differ in six digits, got '
                f'{named[name]!r} and {value!r}'
            )
    return once


def read_device(text: str) -> str:
    """A device that is there.

    Raises:
        ValueError: If torch does not know it, or there are fewer GPUs.
    """
    try:
        device = torch.device(text)
    except RuntimeError as error:
        raise ValueError(f'expected cpu, cuda or cuda:N, got {text!r}') from error
    gpus = torch.cuda.device_count()
    if device.type == 'cuda' and (device.index or 0) >= gpus:
        raise ValueError(f'{text} is not there: this machine shows {gpus} GPUs')
    return text


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, by default a GPU if there is one."""
    gpu = 'cuda' if torch.cuda.is_available() else 'cpu'
    parser.add_argument(
        '--device',
        type=argument(read_device),
        default=gpu,
        help='cpu, cuda or cuda:N (default: a GPU if there is one)',
    )


class Options(DictAction):
    """``KEY=VALUE`` strings as a dict; what is none is refused in a line.

    Spaces inside of a value stay: mmengine drops them in silence, in the path of a file
    and the name of a class too.
    """

    def __init__(self, option_strings: list[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, type=argument(option), **settings)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        """Read a value as mmengine does, but for its spaces."""
        around = r' *, *|(?<=[\[(]) +| +(?=[\])])'
        val = re.sub(around, lambda found: found[0].strip(), val.strip())
        return _spaced(DictAction._parse_iterable(val.replace(' ', _SPACE)))


def _spaced(value: Any) -> Any:
    """A value with its spaces back."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_spaced, value))
    return value.replace(_SPACE, ' ') if isinstance(value, str) else value
