"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to fill, which takes its place if nothing goes wrong.

    Args:
        out: The folder to make.

    Raises:
        FileExistsError: If ``out`` exists.
    """
    if out.exists():
        raise FileExistsError(f'{out} exists; remove it or choose another --out')
    draft = out.with_name(f'{out.name}.part')
    shutil.rmtree(draft, ignore_errors=True)
    try:
        yield draft
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
