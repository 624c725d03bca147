"""What a scheduler's job does for a study: it runs one command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class CommandJob:
    """A command whose output goes to a log, as a function that submitit can send.

    Before its time is over submitit calls :meth:`checkpoint` and has the job queued
    again. A training saves then, and knows from Slurm's count of restarts that it goes
    on where it was.

    Args:
        command: The words of the command.
        log: Its output is appended to this file.
        environment: Variables to set for it.
    """

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self._command = list(command)
        self._log = Path(log)
        self._environment = dict(environment)
        self._process: subprocess.Popen | None = None

    def __call__(self) -> int:
        """Run the command to its end; returns its exit code."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open('ab') as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment},
            )
            return self._process.wait()

    def checkpoint(self) -> Any:
        """End the command in order; returns the job, for submitit to send again."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
            self._process.wait()
        self._process = None
        return DelayedSubmission(self)
