"""Text files that name an image a line."""

from __future__ import annotations

from pathlib import Path


def read_list(path: str | Path) -> list[str]:
    """The lines of a list without blanks around them; empty ones are left out."""
    lines = map(str.strip, Path(path).read_text(encoding='utf-8-sig').splitlines())
    return [line for line in lines if line]
