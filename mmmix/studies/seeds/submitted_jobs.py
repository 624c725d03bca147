"""Commands run as jobs of a scheduler, by submitit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildStopped,
    failure,
    thread_variables,
)
from mmmix.studies.seeds.job import CommandJob
from mmmix.studies.seeds.made_by import Maker, present_maker

if TYPE_CHECKING:
    from submitit import Executor, Job


def slurm_executor(folder: Path, options: Mapping[str, Any]) -> Executor:
    """Submitit's executor for Slurm.

    Args:
        folder: For the scripts and logs of the jobs.
        options: Parameters as ``AutoExecutor.update_parameters`` takes them:
            ``timeout_min``, ``gpus_per_node``, ``cpus_per_task``, ``slurm_partition``,
            ``slurm_account`` and so on.

    Raises:
        ImportError: If submitit is not installed.
        ValueError: If an option is unknown, or there is no Slurm here.
    """
    try:
        from submitit import AutoExecutor
    except ImportError as error:
        raise ImportError(
            "--executor slurm needs submitit: pip install 'mmmix[slurm]'"
        ) from error
    try:
        # Trainings are longer than the time of a job; each time they go on.
        executor = AutoExecutor(folder, cluster='slurm', slurm_max_num_timeout=1000)
        executor.update_parameters(**{'name': 'mmmix', 'timeout_min': 60, **options})
    except (NameError, RuntimeError) as error:
        raise ValueError(f'--executor slurm: {error}') from error
    return executor


class SubmittedJobs:
    """Sends commands to a scheduler, and takes its jobs back when asked to stop.

    The counterpart of ``ChildProcesses`` for machines of a cluster. A job that a study
    has left in the queue, because the study itself was killed, is waited for instead of
    sent once more.

    Args:
        executor: Of submitit.
        threads: Threads of the numerical libraries of each command.
        poll: Seconds between two looks at a job.
    """

    def __init__(self, executor: Executor, threads: int = 1, poll: float = 15) -> None:
        self._executor = executor
        self._threads = threads
        self._environment = thread_variables(threads)
        self._poll = poll
        self._lock = threading.Lock()
        self._running: dict[Path, Job] = {}
        self._stopped = False

    def call(
        self,
        command: Sequence[str],
        log: Path,
        ends: Callable[[], bool] | None = None,
    ) -> None:
        """Run a command to its end, as :meth:`ChildProcesses.call` does.

        Raises:
            ChildFailed: Also if its job is not taken or does not come to an end.
            ChildStopped: As there.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        note = log.with_suffix('.job')
        with self._lock:
            if self._stopped:
                raise ChildStopped('stopped before it began')
            job = self._left_behind(note)
            if job is None:
                job = self._sent(CommandJob(command, log.resolve(), self._environment))
                note.write_text(job.job_id)
            self._running[log] = job
        try:
            if self._ended(job, ends):
                raise ChildStopped('stopped')
            note.unlink(missing_ok=True)
            self._check(job, log)
        finally:
            with self._lock:
                del self._running[log]

    def _sent(self, function: CommandJob) -> Job:
        """Send a job.

        Raises:
            ChildFailed: If the scheduler does not take it, for it is busy, say: no
                reason to take back the other jobs.
        """
        from submitit.core.utils import FailedJobError

        try:
            return self._executor.submit(function)
        except FailedJobError as error:
            raise ChildFailed(f'no job was sent: {error}') from error

    def _left_behind(self, note: Path) -> Job | None:
        """The job that a study before this one has sent and not seen the end of."""
        if not note.is_file():
            return None
        executor = getattr(self._executor, '_executor', self._executor)
        job = executor.job_class(executor.folder, note.read_text().strip(), tasks=[0])
        return job if job.state in ('PENDING', 'RUNNING', 'REQUEUED') else None

    def _ended(self, job: Job, ends: Callable[[], bool] | None) -> bool:
        """Wait for a job; whether it was cancelled."""
        while not self._stopped and not job.done():
            if ends is not None and ends():
                job.cancel(check=False)
                return True
            time.sleep(self._poll)
        return self._stopped

    def _check(self, job: Job, log: Path) -> None:
        """Take a job's result.

        Raises:
            ChildFailed: With the tail of the log; and with what the scheduler says, if
                it ended the job.
        """
        from submitit.core.utils import FailedJobError, UncompletedJobError

        try:
            code = job.result()
        except (FailedJobError, UncompletedJobError) as error:
            how = f'job {job.job_id} {job.state}'
            text = failure(log, None, how) if log.is_file() else f'{how}: {error}'
            raise ChildFailed(text) from error
        if code != 0:
            raise ChildFailed(failure(log, code, f'job {job.job_id} exit code {code}'))

    def maker(self) -> Maker:
        """What makes a run that begins now, but for the machine that it goes to."""
        return present_maker(self._threads, here=False)

    def logs(self) -> list[Path]:
        """Logs of the commands that run now; one that waits in the queue has none."""
        with self._lock:
            return [log for log in self._running if log.is_file()]

    def stop(self) -> None:
        """Send no more jobs and cancel those that were sent."""
        with self._lock:
            self._stopped = True
            jobs = list(self._running.values())
        for job in jobs:
            with suppress(OSError):
                job.cancel(check=False)
