"""One run a folder."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import IO
from weakref import WeakSet

from mmmix.layouts.writing import check_writable

try:
    import fcntl
except ModuleNotFoundError:  # on Windows
    fcntl = None

LOCK = '.lock'
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
_held: WeakSet[IO[str]] = WeakSet()


def lock_folder(folder: str | Path) -> IO[str]:
    """Hold a folder for this process, until the file is closed or the process ends.

    Commands that inherit the file by ``pass_fds`` hold the folder too. Processes
    that are forked, the workers of data loaders, do not.

    Args:
        folder: Made if needed. On a file system without locks, and on Windows, a
            warning is given.

    Raises:
        OSError: If the folder cannot be made or written to.
        RuntimeError: If another process, or a command that one left behind, holds it.
    """
    folder = Path(folder)
    check_writable([folder / LOCK], '--work-dir')
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / LOCK).open('a+', encoding='utf-8')
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            warnings.warn(
                f'{folder} cannot be locked ({error}): see to it that no second run '
                'writes there',
                stacklevel=2,
            )
            return handle
        holder = _holder(handle)
        handle.close()
        raise RuntimeError(
            f'{folder.resolve()} is in use by {holder}. Wait for it or end it first, '
            'or choose another --work-dir'
        ) from error
    _sign(handle)
    _held.add(handle)
    return handle


def _lock(handle: IO[str]) -> None:
    """Lock a file or raise an OSError that tells why not."""
    if fcntl is None:
        raise OSError(errno.ENOSYS, 'this system has no flock')
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sign(handle: IO[str]) -> None:
    """Write who holds the folder; on a full disk it is held without a name."""
    me = dict(
        pid=os.getpid(),
        host=socket.gethostname(),
        since=time.strftime('%Y-%m-%d %H:%M:%S'),
        command=' '.join(sys.argv),
    )
    with suppress(OSError):
        handle.seek(0)
        handle.truncate()
        handle.write(json.dumps(me))
        handle.flush()


def _holder(handle: IO[str]) -> str:
    """Who holds a folder, as the lock's file says."""
    handle.seek(0)
    try:
        found = json.loads(handle.read())
        return (
            f'process {found["pid"]} on {found["host"]} since {found["since"]} '
            f'({found["command"]}), or by a command that it left running'
        )
    except (ValueError, KeyError, TypeError):
        return 'another process, or a command that one left running'


def _let_go() -> None:
    """In a forked process: the folder is held by the parent alone."""
    for handle in _held:
        handle.close()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_let_go)
