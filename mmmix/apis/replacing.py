"""Functions of other packages that ours stand in for, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(owner: Any, name: str, value: Callable) -> Iterator[None]:
    """Set an attribute of a module or class for the length of a ``with`` block."""
    absent = name not in vars(owner)
    previous = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if absent:
            delattr(owner, name)
        else:
            setattr(owner, name, previous)
