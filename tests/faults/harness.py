"""Runs in processes of their own, with faults at chosen moments.

A run is a fork of this process, which has imported everything; it takes a fraction of
a second. A fault is set in the fork alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import process, util
from pathlib import Path

import torch
import torch._dynamo  # by the first optimizer, for seconds
from mmengine.config import Config
from mmengine.runner import runner

from mmmix.commands import test as test_module
from mmmix.commands import train as train_module


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
        _forget_children()
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


def _forget_children() -> None:
    """The processes that a test before has left are no children of a fork.

    It would end them when it leaves, and fail to wait for them.
    """
    process._children.clear()
    util._finalizer_registry.clear()


def _leave_out_what_takes_long() -> None:
    """No list of the machine's compilers, no layout of the config in each file."""
    runner.collect_env = dict
    runner.set_multi_processing = lambda **_: None
    Config.pretty_text = property(lambda config: repr(config.to_dict()))
    Config.dump = lambda config, path: Path(path).write_text(repr(config.to_dict()))


def _end(code: int) -> None:
    """Leave a fork as a program leaves: its children are told, its files closed."""
    try:
        util._exit_function()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
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
