"""What a study says while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmix.apis.reporting import say
from mmmix.studies.seeds.child_processes import tail
from mmmix.studies.seeds.records import METRICS

if TYPE_CHECKING:
    from mmmix.studies.seeds.runs import Run
    from mmmix.studies.seeds.study import Study


def progress_line(log: Path) -> str:
    """What a log says last of its progress."""
    lines = tail(log, 50).splitlines()
    known = [line for line in lines if 'eta:' in line] or lines or ['']
    return known[-1][:160]


class Progress:
    """Tells how far a study is.

    Args:
        study: The study; runs that are finished already count as done.
        jobs: How many runs there are at a time.
    """

    def __init__(self, study: Study, jobs: int) -> None:
        self._total = len(study.runs)
        self._left = len(study.pending)
        self._jobs = jobs
        self._metrics = METRICS[study.checkpoint]
        self._began: dict[str, float] = {}
        self._durations: list[float] = []
        say(f'{self._total} runs, {self._left} of them to do')

    def began(self, run: Run) -> None:
        """Take note that a run begins now."""
        self._began[run.name] = time.monotonic()

    def ended(self, run: Run, record: Mapping[str, Any]) -> None:
        """Report a run that came to an end."""
        self._durations.append(time.monotonic() - self._began.pop(run.name))
        self._left -= 1
        if record.get('error'):
            outcome = f'FAILED: {record["error"]}'
        else:
            metrics = record[self._metrics]
            scores = [f'{key} {value:.3f}' for key, value in metrics.items()]
            outcome = ', '.join([f'{record["minutes"]:.1f} min', *scores[:3]])
        say(f'{self._done()} {run.name}: {outcome}. {self._eta()}')

    def beat(self, logs: Sequence[Path]) -> None:
        """Show what the running commands log."""
        for log in logs:
            say(f'  {log.parent.parent.name}/{log.parent.name}: {progress_line(log)}')
        say(f'{self._done()} {self._eta()}')

    def _done(self) -> str:
        return f'[{self._total - self._left}/{self._total}]'

    def _eta(self) -> str:
        """The time left, if runs take as long as those that have ended."""
        if not self._durations:
            return 'ETA: known after the first run'
        mean = sum(self._durations) / len(self._durations)
        now = time.monotonic()
        # Of a copy, for other threads begin runs meanwhile. Whoever is later than the
        # mean is taken to end any moment.
        spent = sum(min(now - began, mean) for began in list(self._began.values()))
        at_a_time = max(min(self._jobs, self._left), 1)
        seconds = (mean * self._left - spent) / at_a_time
        return f'ETA: {timedelta(seconds=round(seconds))}'
