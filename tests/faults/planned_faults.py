"""What goes wrong in a run, and when."""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import cv2

WRITES = {
    'checkpoint': r'^(iter|epoch)_\d+\.pth',
    'pointer': r'^last_checkpoint',
    'validation': r'^last_validation',
    'best': r'^best_.*\.pth',
    'preview': r'\.png$',
    'log': r'\.(log|json)$',
    'results': r'(results|record)\.json',
}
"""Kinds of writes, by the name of the file."""


@dataclass
class Fault:
    """What happens at the n-th step of writing files of a kind.

    A write has four steps: before it, when half of it is written, when all of it is,
    and when a file that was written under another name has its own.

    Args:
        kind: One of ``WRITES``.
        number: Which step, from 1 on, over all files of the kind.
        room: Instead of a kill: bytes that fit on the disk from then on.
    """

    kind: str
    number: int
    room: int | None = None

    def install(self) -> None:
        """Set the fault in this process."""
        self._seen = 0
        self._name = re.compile(WRITES[self.kind])
        self._open, self._replace = builtins.open, os.replace
        builtins.open = io.open = self._opened
        os.replace = self._replaced
        imwrite = cv2.imwrite

        def picture(path: str, *args: object) -> bool:
            if self._is_meant(path):
                self.step()
                imwrite(path, *args)
                content = Path(path).read_bytes()
                Path(path).write_bytes(content[: len(content) // 2])
                self.step()
            return imwrite(path, *args)

        cv2.imwrite = picture

    def _is_meant(self, path: object) -> bool:
        if not isinstance(path, (str, os.PathLike)):
            return False
        return bool(self._name.search(Path(path).name))

    def step(self) -> None:
        """Count a step; at the chosen one, end the process without further ado."""
        self._seen += 1
        if self._seen == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def _opened(self, path: object, mode: str = 'r', *args: object, **options: object):
        writes = set(mode) & set('wax+')
        if not (writes and self._is_meant(path)):
            return self._open(path, mode, *args, **options)
        self.step()
        file = self._open(path, mode, *args, **options)
        return _Watched(file, self)

    def _replaced(self, source: object, target: object, **options: object) -> None:
        self._replace(source, target, **options)
        if self._is_meant(target):
            self.step()


class _Watched:
    """A file that tells of the steps of writing it."""

    def __init__(self, file: io.IOBase, fault: Fault) -> None:
        self._file, self._fault = file, fault

    def write(self, content):
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._fault.step()
        self._file.write(content[half:])
        self._file.flush()
        self._fault.step()
        return len(content)

    def __enter__(self):
        return self

    def __exit__(self, *args: object) -> None:
        self._file.close()

    def __iter__(self):
        return iter(self._file)

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def full_disk(free: int) -> None:
    """Let this process write so many bytes of checkpoints more, as on a full disk."""
    opened, left = builtins.open, [free]

    class Limited(_Watched):
        def write(self, content):
            if len(content) > left[0]:
                self._file.write(content[: left[0]])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= len(content)
            return self._file.write(content)

    def limited(path, mode='r', *args, **options):
        file = opened(path, mode, *args, **options)
        meant = isinstance(path, (str, os.PathLike)) and '.pth' in str(path)
        return Limited(file, None) if meant and 'w' in mode else file

    builtins.open = limited
