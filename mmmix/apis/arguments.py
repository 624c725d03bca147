"""Arguments of commands that are read by a function of their own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

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
