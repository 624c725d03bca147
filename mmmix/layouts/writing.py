"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def check_writable(paths: Iterable[Path], option: str = '--out') -> None:
    """Make sure, before work is done for them, that files can be written.

    Args:
        paths: The files; folders that are missing are not made.
        option: What names them on the command line.

    Raises:
        OSError: If a folder is in the place of a file, a file in that of a folder, or
            a folder cannot be written to.
    """
    paths = list(paths)
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(
                f'{path} is a folder, and a file is to be written there; choose '
                f'another {option}'
            )
    for there in {_nearest(folder) for folder in {path.parent for path in paths}}:
        if not there.is_dir():
            raise NotADirectoryError(f'{there} is no folder; choose another {option}')
        try:
            tempfile.TemporaryFile(dir=there).close()
        except OSError as error:
            raise PermissionError(
                f'no file can be written to {there.absolute()} ({error}); choose '
                f'another {option}'
            ) from error


def _nearest(folder: Path) -> Path:
    """A folder, or what is there of the path to it."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


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
def whole_folder(out: Path, replace: bool = False) -> Iterator[Path]:
    """A hidden folder to fill, which becomes ``out`` if nothing goes wrong.

    Args:
        out: The folder to make.
        replace: Delete a folder ``out`` when the new one is filled.

    Raises:
        FileExistsError: If ``out`` exists, and is not to be replaced.
        OSError: If it cannot be made.
    """
    if out.exists() and not replace:
        raise FileExistsError(f'{out} exists; remove it or choose another --out')
    draft, old = (out.with_name(f'.{out.name}.{end}') for end in ('part', 'old'))
    shutil.rmtree(draft, ignore_errors=True)
    check_writable([draft])
    try:
        yield draft
        shutil.rmtree(old, ignore_errors=True)
        if replace and out.exists():
            out.rename(old)
        draft.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
