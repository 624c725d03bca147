"""Short texts that tell contents apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_BLOCK = 1 << 20


def digest(chunks: Iterable[bytes], digits: int = 16) -> str:
    """A text that other bytes would change; how they are cut has no part in it.

    Args:
        chunks: The bytes, in order.
        digits: Length of the text, at most 64.
    """
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()[:digits]


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, of which few are in memory at a time."""
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            yield block
