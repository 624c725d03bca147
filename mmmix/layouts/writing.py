"""Text files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_all(files: Mapping[Path, str]) -> None:
    """Write files so that either all of them are there afterwards or none.

    Args:
        files: Texts by path; what is there under a path is replaced.

    Raises:
        OSError: If one cannot be written; then none is.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f'.{path.name}.{os.getpid()}')
            drafts[draft] = path
            draft.write_text(text, encoding='utf-8')
    except OSError:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise
    for draft, path in drafts.items():
        os.replace(draft, path)
