"""Commands run from several threads, logged to files, and ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue

from mmmix.studies.seeds.made_by import Maker, present_maker
from mmmix.studies.seeds.reasons import reason

_TAIL_LINES = 15
_REASON_LINES = 300
_LOOK_S = 5
_PATIENCE_S = 40  # torchrun gives its processes 30
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


class ChildFailed(RuntimeError):
    """A command ended with an error: why, and then the tail of its log."""


class ChildStopped(ChildFailed):
    """A command was ended, or not begun, by :meth:`ChildProcesses.stop`."""


class ChildProcesses:
    """Starts commands, and stops all of them when asked to.

    Each gets a process group of its own: a Ctrl-C in the terminal reaches only
    the caller, which then decides.

    Args:
        threads: Threads of the numerical libraries of each command.
        gpus: CUDA devices, one for each command that runs; empty leaves
            ``CUDA_VISIBLE_DEVICES`` alone.
        pass_fds: File descriptors that commands inherit, such as a lock's; not on
            Windows.
    """

    def __init__(
        self,
        threads: int = 1,
        gpus: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._threads = threads
        self._pass_fds = tuple(pass_fds) if os.name == 'posix' else ()
        self._gpus: SimpleQueue[str] | None = SimpleQueue() if gpus else None
        for gpu in gpus:
            self._gpus.put(gpu)
        self._lock = threading.Lock()
        self._running: dict[subprocess.Popen, Path] = {}
        self._stopped = False

    def call(
        self,
        command: Sequence[str],
        log: Path,
        ends: Callable[[], bool] | None = None,
    ) -> None:
        """Run a command to its end; its output is appended to ``log``.

        Args:
            command: The words of the command.
            log: Its log.
            ends: Asked now and then; the command is ended once it says so.

        Raises:
            ChildFailed: If it returns an error.
            ChildStopped: If :meth:`stop` was called, or ``ends`` said so.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._environment() as environment, log.open('ab') as output:
            with self._lock:
                if self._stopped:
                    raise ChildStopped('stopped before it began')
                process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                    pass_fds=self._pass_fds,
                )
                self._running[process] = log
            code, ended = _wait(process, ends)
        with self._lock:
            del self._running[process]
        if self._stopped or ended:
            raise ChildStopped('stopped')
        if code != 0:
            raise ChildFailed(failure(log, code))

    @contextmanager
    def _environment(self) -> Iterator[dict[str, str]]:
        environment = {**os.environ, **thread_variables(self._threads)}
        if self._gpus is None:
            yield environment
            return
        gpu = self._gpus.get()
        try:
            yield {**environment, 'CUDA_VISIBLE_DEVICES': gpu}
        finally:
            self._gpus.put(gpu)

    def maker(self) -> Maker:
        """What makes a run that begins now."""
        return present_maker(self._threads)

    def logs(self) -> list[Path]:
        """Logs of the commands that run now."""
        with self._lock:
            return list(self._running.values())

    def stop(self) -> None:
        """Start no more commands and end those that run."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            end_group(process)
        for process in running:
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                end_group(process, at_once=True)


def _wait(
    process: subprocess.Popen, ends: Callable[[], bool] | None
) -> tuple[int, bool]:
    """Wait for a command; returns its exit code, and whether ``ends`` ended it."""
    if ends is None:
        return process.wait(), False
    ended = False
    while True:
        try:
            return process.wait(_PATIENCE_S if ended else _LOOK_S), ended
        except subprocess.TimeoutExpired:
            if ended:
                end_group(process, at_once=True)
            elif ends():
                ended = True
                end_group(process)


def thread_variables(threads: int) -> dict[str, str]:
    """Environment variables that numerical libraries take their threads from."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


def failure(log: Path, code: int | None, how: str = '') -> str:
    """Why a command failed, in the first line, and the tail of its log.

    Args:
        log: Of the command.
        code: Its exit code, None if that is not known.
        how: How it ended, where that is not by an exit code.
    """
    lines = tail(log, _REASON_LINES).splitlines() if log.is_file() else []
    end = '\n'.join(lines[-_TAIL_LINES:])
    how = how or f'exit code {code}'
    return f'{reason(lines, code)} ({how}), end of {log}:\n{end}'


def end_group(process: subprocess.Popen, at_once: bool = False) -> None:
    """End a command and what it started, unless it has ended by itself.

    Args:
        process: The command.
        at_once: Without a chance to save. Windows, which has no groups of processes,
            gives none, and ends the command alone.
    """
    if process.poll() is not None:
        return
    if not hasattr(os, 'killpg'):
        process.terminate()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log that are not blank."""
    text = log.read_text(encoding='utf-8', errors='replace').replace('\r', '\n')
    return '\n'.join([line for line in text.splitlines() if line.strip()][-lines:])
