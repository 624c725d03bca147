"""Train and test configs over seeds, some at a time, each of them once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmix.apis.config_reading import config_name
from mmmix.apis.reporting import write_json
from mmmix.apis.resume import DamagedCheckpointError, last_checkpoint
from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
)
from mmmix.studies.seeds.logged_metrics import read_metrics, scalar_files
from mmmix.studies.seeds.runs import Commands, Run

Record = dict[str, Any]
"""A run's entry in ``results.json``: config, seed, state, metrics, ..."""

_RESULTS = 'results.json'


def read_records(folder: Path) -> dict[str, Record]:
    """The records of a study by name of the run, none if it has not begun."""
    file = folder / _RESULTS
    if not file.exists():
        return {}
    return json.loads(file.read_text(encoding='utf-8'))['runs']


class Study:
    """Runs of configs × seeds whose results are kept in ``results.json``.

    A finished run is not repeated, one that was interrupted or failed goes on
    from its last checkpoint. One that fails does not stop the others.

    Args:
        configs: Config files, of different names.
        seeds: Seeds of each config.
        folder: Keeps ``results.json`` and, per run, ``<config>/seed_<n>/`` with
            ``train.log``, ``test.log``, checkpoints and ``test/``.
        commands: How runs are made.
        children: Where processes are started.

    Raises:
        ValueError: If two configs have one name, or ``results.json`` was made
            from other contents of a config or with other options.
    """

    def __init__(
        self,
        configs: Sequence[str],
        seeds: Sequence[int],
        folder: str | Path,
        commands: Commands,
        children: ChildProcesses,
    ) -> None:
        stems = [config_name(config) for config in configs]
        if len(set(stems)) < len(stems) or len(set(seeds)) < len(seeds):
            raise ValueError(
                'configs need different file names and seeds must not repeat, '
                f'got {list(configs)} and {list(seeds)}'
            )
        folder = Path(folder)
        self.runs = [
            Run(config, seed, folder / stem / f'seed_{seed}')
            for seed in seeds
            for config, stem in zip(configs, stems)
        ]
        self._file = folder / _RESULTS
        self._commands = commands
        self._children = children
        self._lock = threading.Lock()
        self.records = read_records(folder)
        self._fingerprints = {c: commands.fingerprint(c) for c in configs}
        self._check_records()

    def _check_records(self) -> None:
        for run in self.runs:
            record = self.records.get(run.name)
            if record and record['fingerprint'] != self._fingerprints[run.config]:
                raise ValueError(
                    f'{self._file} has {run.name} from another content of '
                    f'{record["config"]}, other --cfg-options or --train-args. Use '
                    'another --work-dir, or remove that entry and its folder'
                )

    def _state(self, run: Run) -> str | None:
        return self.records.get(run.name, {}).get('state')

    @property
    def pending(self) -> list[Run]:
        """Runs that are not finished."""
        return [run for run in self.runs if self._state(run) != 'done']

    def execute(self, run: Run) -> Record:
        """Train and test one run, and record what came out.

        Safe to call from several threads, for different runs.

        Returns:
            The run's record. Its ``state`` is ``'done'`` if all went well;
            otherwise ``error`` says what did not.
        """
        start = time.monotonic()
        self._record(
            run,
            config=run.config,
            seed=run.seed,
            fingerprint=self._fingerprints[run.config],
            state=self._state(run) or 'started',
        )
        spent = self.records[run.name].get('minutes', 0.0)
        try:
            self._train(run)
            outcome = {'state': 'done', 'metrics': self._test(run), 'error': None}
        except ChildStopped:
            outcome = {'error': None}
        except (ChildFailed, DamagedCheckpointError) as error:
            outcome = {'error': str(error)}
        spent += (time.monotonic() - start) / 60
        return self._record(run, **outcome, minutes=spent)

    def _train(self, run: Run) -> None:
        if self._state(run) == 'trained':
            return
        resume = last_checkpoint(run.folder) is not None
        self._children.call(self._commands.train(run, resume), run.folder / 'train.log')
        self._record(run, state='trained')

    def _test(self, run: Run) -> dict[str, float]:
        log = run.folder / 'test.log'
        checkpoint = last_checkpoint(run.folder)
        if checkpoint is None:
            raise ChildFailed(f'the training left no checkpoint in {run.folder}')
        before = scalar_files(run.folder / 'test')
        self._children.call(self._commands.test(run, checkpoint), log)
        written = scalar_files(run.folder / 'test') - before
        if not written:
            raise ChildFailed(
                f'the test wrote no <time>/<time>.json in {log.with_suffix("")}; '
                f'see {log}'
            )
        return read_metrics(max(written, key=lambda path: path.stat().st_mtime))

    def _record(self, run: Run, **changes: Any) -> Record:
        with self._lock:
            record = {**self.records.get(run.name, {}), **changes}
            self.records = {**self.records, run.name: record}
            write_json(self._file, {'runs': self.records})
        return record
