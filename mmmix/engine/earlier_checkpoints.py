"""Checkpoints in the folder of a run that an earlier one has left there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .whole_files import write_whole

POINTER = 'last_checkpoint'
"""The file of a working directory that names its last checkpoint, as in mmengine."""
EARLIER = 'earlier_checkpoints'
"""The file of a working directory that names those of which its run has no part."""


def earlier_checkpoints(work_dir: str | Path) -> set[str]:
    """Names of the checkpoints that an earlier run left, and that are still its own."""
    path = Path(work_dir) / EARLIER
    return set(path.read_text().splitlines()) if path.is_file() else set()


def note_earlier(work_dir: str | Path, names: Iterable[str]) -> None:
    """Note the checkpoints of earlier runs, in the place of those noted before.

    Args:
        work_dir: Folder of the run.
        names: Names of files.
    """
    path, text = Path(work_dir) / EARLIER, '\n'.join(sorted(names))
    if text:
        write_whole(path, text.encode())
    else:
        path.unlink(missing_ok=True)


def note_own(work_dir: str | Path, name: str) -> None:
    """Note that the run has written a checkpoint, be it over one of an earlier run."""
    earlier = earlier_checkpoints(work_dir)
    if name in earlier:
        note_earlier(work_dir, earlier - {name})


@contextmanager
def kept_if_refused(work_dir: str | Path) -> Iterator[None]:
    """Take back what a start has noted, if an error ends it.

    A signal is none: what it has ended begins anew when it is started again.

    Args:
        work_dir: Folder of the run.
    """
    paths = Path(work_dir) / POINTER, Path(work_dir) / EARLIER
    before = {path: (path.read_bytes(), path.stat()) for path in paths if path.exists()}
    try:
        yield
    except Exception:
        for path in paths:
            if path not in before:
                path.unlink(missing_ok=True)
                continue
            content, times = before[path]
            write_whole(path, content)
            # Checkpoints are told from later ones by the time of what names them.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        raise
