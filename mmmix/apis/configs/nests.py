"""Nests of dicts and lists, as configs are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dicts_in(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """All dicts of a nest, outer ones first; what is inside may be changed meanwhile.

    Args:
        node: The nest.
        key: Its place in a config.

    Yields:
        The place of a dict, keys and numbers with dots between them, and the dict.
    """
    items: Any = ()
    if isinstance(node, Mapping):
        yield key, node
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for name, item in items:
        yield from dicts_in(item, f'{key}.{name}')
