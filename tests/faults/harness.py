"""Runs in processes of their own, with faults at chosen moments.

A run is a fork of this process, which has imported everything; it takes a fraction of
a second. A fault is set in the fork alone.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
import torch._dynamo  # by the first optimizer, for seconds
from mmengine.config import Config
from mmengine.runner import runner

from mmmix.commands import test as test_module
from mmmix.commands import train as train_module

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


def start(
    command: Callable[[Sequence[str]], None],
    argv: Sequence[str],
    output: Path,
    prepare: Callable[[], None] = lambda: None,
) -> int:
    """Run a command in a fork, the first of a process group; returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.stdout = os.fdopen(1, 'w', closefd=False)
        sys.stderr = os.fdopen(2, 'w', closefd=False)
        _leave_out_what_takes_long()
        prepare()
        command(argv)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
        if not isinstance(stop.code, int):
            sys.stderr.write(f'{stop.code}\n')
    except BaseException:
        traceback.print_exc()
    finally:
        _end(code)


def _leave_out_what_takes_long() -> None:
    """No list of the machine's compilers, no layout of the config in each file."""
    runner.collect_env = dict
    runner.set_multi_processing = lambda **_: None
    Config.pretty_text = property(lambda config: repr(config.to_dict()))
    Config.dump = lambda config, path: Path(path).write_text(repr(config.to_dict()))


def _end(code: int) -> None:
    """Leave a fork as a program leaves: its children are told, its files closed."""
    from multiprocessing.util import _exit_function

    try:
        _exit_function()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def wait(pid: int, seconds: float = 60) -> int:
    """The exit code of a run, or minus the signal that killed it.

    Raises:
        TimeoutError: If it takes too long; it is killed then.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise TimeoutError(f'run {pid} did not end within {seconds} s')


def left_behind(group: int, seconds: float = 5) -> list[int]:
    """Processes of a group that are there still after a while."""
    until = time.monotonic() + seconds
    while True:
        found = [p for p in _processes() if _group(p) == group]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.05)


def _processes() -> list[int]:
    return [int(path.name) for path in Path('/proc').iterdir() if path.name.isdecimal()]


def _group(pid: int) -> int | None:
    """The process group of a live process."""
    try:
        state, _, group = (
            Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[:3]
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == 'Z' else int(group)


class Run:
    """A toy run in a folder.

    Args:
        folder: For its config and its working directory.
        make: The function of ``toys`` that makes the config.
        options: Of that function.
    """

    def __init__(self, folder: Path, make: Callable[..., dict], **options: object):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.work = folder / 'work'
        self.config = folder / 'toy.py'
        lines = [f'{k} = {v!r}' for k, v in make(folder, **options).items()]
        self.config.write_text('\n'.join(lines) + '\n')

    def begin(self, *args: str, prepare: Callable[[], None] = lambda: None) -> int:
        """Start training; returns the process."""
        argv = [str(self.config), '--work-dir', str(self.work), *args]
        return start(train_module.main, argv, self.folder / 'output.txt', prepare)

    def train(self, *args: str, prepare: Callable[[], None] = lambda: None) -> int:
        """Train to the end, whatever end; returns the exit code."""
        return wait(self.begin(*args, prepare=prepare))

    def begin_test(self, checkpoint: str) -> int:
        """Start testing; returns the process."""
        argv = [str(self.config), str(self.work / checkpoint)]
        argv += ['--work-dir', str(self.folder / 'test')]
        return start(test_module.main, argv, self.folder / 'output.txt')

    def output(self) -> str:
        """What all commands have said."""
        return (self.folder / 'output.txt').read_text()

    def files(self) -> list[str]:
        """The names of all files that checkpoints leave."""
        return sorted(
            path.name
            for path in self.work.iterdir()
            if '.pth' in path.name or path.name.startswith('last_')
        )

    def saved(self, name: str) -> dict:
        """A checkpoint; raises what reading a broken one raises."""
        return torch.load(self.work / name, map_location='cpu', weights_only=False)


def same(first: Run, second: Run) -> str:
    """What differs between two finished runs; an empty text if nothing does."""
    if first.files() != second.files():
        return f'files {first.files()} and {second.files()}'
    for name in first.files():
        if not name.endswith('.pth'):
            continue
        one, other = first.saved(name), second.saved(name)
        for key in ('state_dict', 'optimizer', 'param_schedulers'):
            if not _equal(one.get(key), other.get(key)):
                return f'{key} of {name}'
        for key in ('iter', 'epoch'):
            if one['meta'][key] != other['meta'][key]:
                return f'{key} of {name}'
    return ''


def _equal(one: object, other: object) -> bool:
    """Whether two nested containers of tensors are the same, bit by bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    return one == other


def signal_group(pid: int, number: int) -> bool:
    """Signal a run and its children; whether it was there still."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


def wait_for_text(run: Run, text: str, seconds: float = 60) -> None:
    """Wait until a run has said something.

    Raises:
        TimeoutError: If it does not.
    """
    until = time.monotonic() + seconds
    while not (run.folder / 'output.txt').exists() or text not in run.output():
        if time.monotonic() > until:
            raise TimeoutError(f'{text!r} is not in {run.folder}/output.txt')
        time.sleep(0.005)
