"""Files that are replaced in one step, or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from mmengine.fileio import LocalBackend, register_backend

DRAFT = '.tmp'
"""How the name of a file ends that is not complete."""

_DRAFTS = re.compile(rf'(.+\.pth|.+\.json|(?:last|earlier)_\w+)\.\d+{re.escape(DRAFT)}')

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The errors of a disk, or of a user's share of it, that is full."""


class NoRoomError(OSError):
    """A disk is full; the message says what is left and what to do."""


def write_whole(path: str | Path, content: bytes) -> None:
    """Replace a file in one step.

    A reader, or a process that is killed at any moment, leaves or finds the old file
    or the new one, never a part of one; after a power cut too, for the content is on
    the disk before the name is. A failure leaves the old file.

    Args:
        path: The file; its folder exists.
        content: All of it.

    Raises:
        OSError: If it cannot be written, for want of room say.
    """
    path = Path(path)
    draft = path.with_name(f'{path.name}.{os.getpid()}{DRAFT}')
    try:
        with open(draft, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    _sync_folder(path.parent)


def save_whole(path: str | Path, content: Any) -> None:
    """``torch.save`` in one step; see :func:`write_whole`."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole(path, buffer.getvalue())


def _sync_folder(folder: Path) -> None:
    """Put a new name on the disk; not every file system can be asked to."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_drafts(folder: str | Path) -> None:
    """Remove what killed processes left of files that were not complete.

    Only for the holder of the folder: another process's drafts are not told apart.
    """
    for path in Path(folder).iterdir():
        if _DRAFTS.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


@register_backend('whole')
class WholeFileBackend(LocalBackend):
    """Local files that are written in one step.

    A file backend of mmengine, for ``backend_args=dict(backend='whole')``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a file in one step, making its folder if needed."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_whole(filepath, obj)
