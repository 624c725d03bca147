"""Methods that are replaced for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced_methods(owner: Any, methods: Mapping[str, Callable]) -> Iterator[None]:
    """Give an object, or a class, other methods for a ``with`` block.

    Args:
        owner: Of an object, those of its class stay, and can be called by them.
        methods: By name.
    """
    before = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    for name, method in methods.items():
        setattr(owner, name, method)
    try:
        yield
    finally:
        for name in methods:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)
