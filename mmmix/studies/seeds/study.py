"""Train and test configs over seeds, some at a time, each of them once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmmix.apis.checkpoints.resume import (
    DamagedCheckpointError,
    best_checkpoints,
    checkpoint_damage,
    checkpoints,
    newest_checkpoint,
)
from mmmix.apis.configs.config_reading import config_name
from mmmix.apis.reporting import say
from mmmix.studies.seeds.child_processes import (
    ChildFailed,
    ChildProcesses,
    ChildStopped,
)
from mmmix.studies.seeds.grid import Axis, choices
from mmmix.studies.seeds.logged_metrics import read_metrics, scalar_files
from mmmix.studies.seeds.made_by import MADE_BY, made_unlike
from mmmix.studies.seeds.options import read_content
from mmmix.studies.seeds.records import (
    METRICS,
    RESULTS,
    TEST_FOLDERS,
    Record,
    read_records,
    record_in,
    set_aside,
    write_records,
)
from mmmix.studies.seeds.runs import Commands, Run
from mmmix.studies.seeds.submitted_jobs import SubmittedJobs


class Study:
    """Runs of configs × seeds whose results are kept in ``results.json``.

    A finished run is not repeated, one that was interrupted or failed goes on
    from its last checkpoint. One that fails does not stop the others. What is broken
    is set aside and named: without a whole checkpoint a run begins anew, and a
    damaged ``results.json`` is made again from the folders of the runs.

    Args:
        configs: Config files, of different names.
        seeds: Seeds of each config.
        folder: Keeps ``results.json`` and, per run, ``<config>/seed_<n>/`` with
            ``train.log``, ``test.log``, checkpoints and ``test/``.
        commands: How runs are made.
        children: Where processes are started.
        checkpoint: Which one is tested, ``'last'`` or ``'best'``.
        grid: Settings to vary, each config with each combination.

    Raises:
        KeyError: If a config has no place for a setting.
        ValueError: If a setting cannot be merged, two configs have one name, or
            ``results.json`` was made from other contents of a config or with other
            options.
    """

    def __init__(
        self,
        configs: Sequence[str],
        seeds: Sequence[int],
        folder: str | Path,
        commands: Commands,
        children: ChildProcesses | SubmittedJobs,
        checkpoint: str = 'last',
        grid: Sequence[Axis] = (),
    ) -> None:
        chosen = choices(configs, grid, commands.mix_options)
        stems = [config_name(choice.label) for choice in chosen]
        if len(set(stems)) < len(stems) or len(set(seeds)) < len(seeds):
            raise ValueError(
                'configs need different file names and seeds must not repeat, '
                f'got {list(configs)} and {list(seeds)}'
            )
        folder = Path(folder)
        self.runs = [
            Run(choice.config, seed, folder / stem / f'seed_{seed}', choice)
            for seed in seeds
            for choice, stem in zip(chosen, stems)
        ]
        self._folder = folder
        self._commands = commands
        self._children = children
        self.checkpoint = checkpoint
        self._lock = threading.Lock()
        self.records = self._read_records()
        self._fingerprints = {c.label: commands.fingerprint(c) for c in chosen}
        self._check_records()
        for choice in chosen:
            commands.check(choice)
        self._reading = threading.Lock()
        self._contents = {config: read_content(config) for config in configs}

    def _read_records(self) -> dict[str, Record]:
        records, damage = read_records(self._folder)
        if damage:
            moved = set_aside(self._folder / RESULTS)
            write_records(self._folder, records)
            say(f'{damage}: it is now {moved.name}, and made again from the runs')
        return records

    def _check_records(self) -> None:
        """Refuse what was made from other settings.

        That of seeds which are not asked for now would stand in the same mean. A run
        whose entry was removed goes on from the checkpoints in its folder all the same.

        Raises:
            ValueError: Naming the run, and what may be other.
        """
        marks = {config_name(label): mark for label, mark in self._fingerprints.items()}
        folders = {run.name: record_in(run.folder) for run in self.runs}
        for name, record in {**folders, **self.records}.items():
            counts = record and (name in folders or record['state'] == 'done')
            mark = marks.get(name.rpartition('/')[0])
            if counts and mark and record['fingerprint'] not in (None, mark):
                raise ValueError(
                    f'{self._folder} has {name} from another content of '
                    f'{record["config"]}, other --cfg-options, --mix-options, '
                    '--train-args or --nproc. Use another --work-dir, or move '
                    f'{self._folder / name} away and remove its entry in {RESULTS}'
                )

    def _state(self, run: Run) -> str | None:
        record = self.records.get(run.name, {})
        state = record.get('state')
        if state == 'done' and METRICS[self.checkpoint] not in record:
            return 'trained'
        return state

    @property
    def pending(self) -> list[Run]:
        """Runs that are not finished."""
        return [run for run in self.runs if self._state(run) != 'done']

    def made_unlike(self) -> str:
        """A line on runs that are there, if those to do will be made by other code."""
        pending = self.pending
        if not pending:
            return ''
        names = {config_name(run.label) for run in self.runs}
        goes_on = {run.name for run in pending if checkpoints(run.folder)}
        there = {
            name: record
            for name, record in self.records.items()
            if name.rpartition('/')[0] in names
            and (record['state'] == 'done' or name in goes_on)
        }
        to_do = {f'{len(pending)} to do': {MADE_BY: [self._children.maker()]}}
        return made_unlike({**there, **to_do})

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
            config=run.label,
            seed=run.seed,
            fingerprint=self._fingerprints[run.label],
            state=self.records.get(run.name, {}).get('state', 'started'),
        )
        spent = self.records[run.name].get('minutes', 0.0)
        try:
            self._train(run)
            metrics = self._test(run)
            outcome = {
                'state': 'done',
                METRICS[self.checkpoint]: metrics,
                'error': None,
            }
        except ChildStopped:
            outcome = {'error': None}
        except (ChildFailed, DamagedCheckpointError) as error:
            outcome = {'error': str(error)}
        spent += (time.monotonic() - start) / 60
        return self._record(run, **outcome, minutes=spent)

    def _train(self, run: Run) -> None:
        checkpoint = self._checkpoint_to_go_on_from(run)
        self._note_maker(run, anew=checkpoint is None)
        if self._state(run) == 'trained':
            if checkpoint is not None:
                return
            self._record(run, state='started')
        self._check_unchanged(run)
        resume = checkpoint is not None
        self._children.call(self._commands.train(run, resume), run.folder / 'train.log')
        self._record(run, state='trained')

    def _check_unchanged(self, run: Run) -> None:
        """Refuse a config that was written to while the study runs.

        Commands read it anew; the record has the digest of what the study began with.

        Raises:
            ChildFailed: If it has another content.
        """
        with self._reading:
            try:
                content = read_content(run.config)
            except Exception as error:  # What a half-written file raises is anything.
                content = f'cannot be read: {error}'
        if content != self._contents[run.config]:
            raise ChildFailed(
                f'{run.config} was changed since the study began: give it back its '
                'content and start the study again, or take another --work-dir'
            )

    def _note_maker(self, run: Run, anew: bool) -> None:
        """Record what makes a run from here on, behind what has made it so far."""
        known = [] if anew else self.records[run.name].get(MADE_BY)
        maker = self._children.maker()
        if known is not None and maker not in known:  # None: an older version began it
            self._record(run, **{MADE_BY: [*known, maker]})

    def _checkpoint_to_go_on_from(self, run: Run) -> str | None:
        """The newest whole checkpoint of a run; without one, it has to begin anew."""
        try:
            checkpoint, remark = newest_checkpoint(run.folder)
        except DamagedCheckpointError as error:
            moved = [set_aside(path).name for path in checkpoints(run.folder)]
            (run.folder / 'last_checkpoint').unlink(missing_ok=True)
            say(f'{run.name}: {error}. It begins anew; set aside: {", ".join(moved)}')
            return None
        if remark:
            say(f'{run.name}: {remark}')
            if self._state(run) == 'trained':
                self._record(run, state='started')
        if checkpoint is None and self._state(run) == 'trained':
            say(f'{run.name}: its checkpoints are gone; it begins anew')
        return checkpoint

    def _test(self, run: Run) -> dict[str, float]:
        folder = run.folder / TEST_FOLDERS[self.checkpoint]
        log = folder.with_suffix('.log')
        checkpoint = self._tested_checkpoint(run)
        self._check_unchanged(run)
        before = scalar_files(folder)
        self._children.call(self._commands.test(run, checkpoint, folder), log)
        written = scalar_files(folder) - before
        if not written:
            raise ChildFailed(
                f'the test wrote no <time>/<time>.json in {folder}; see {log}'
            )
        return read_metrics(max(written, key=lambda path: path.stat().st_mtime))

    def _tested_checkpoint(self, run: Run) -> str:
        """The checkpoint of a trained run that is to be tested.

        Raises:
            ChildFailed: If there is none, or more than one that may be meant.
        """
        if self.checkpoint == 'last':
            checkpoint, _ = newest_checkpoint(run.folder)
            if checkpoint is None:
                raise ChildFailed(f'the training left no checkpoint in {run.folder}')
            return checkpoint
        found = best_checkpoints(run.folder)
        if len(found) != 1:
            names = ', '.join(path.name for path in found) or 'none'
            raise ChildFailed(
                f'--checkpoint best needs one best checkpoint in {run.folder}, found '
                f'{names}. The config names the metric by '
                'default_hooks.checkpoint.save_best; or use --checkpoint last'
            )
        damage = checkpoint_damage(found[0])
        if damage:
            raise ChildFailed(
                f'{found[0]} {damage}. Move {run.folder} away to train it again, or '
                'use --checkpoint last'
            )
        return str(found[0])

    def _record(self, run: Run, **changes: Any) -> Record:
        with self._lock:
            record = {**self.records.get(run.name, {}), **changes}
            self.records = {**self.records, run.name: record}
            write_records(self._folder, self.records, run.folder)
        return record
