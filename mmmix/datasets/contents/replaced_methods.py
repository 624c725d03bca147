"""Methods of one data set, replaced for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced_methods(dataset: Any, methods: Mapping[str, Callable]) -> Iterator[None]:
    """Give one data set other methods, by name, for a ``with`` block.

    Those of its class stay, and can be called by them.
    """
    vars(dataset).update(methods)
    try:
        yield
    finally:
        for name in methods:
            vars(dataset).pop(name, None)
