"""What a study remembers of its runs, and how it is found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmix.apis.checkpoints.resume import DamagedCheckpointError, last_checkpoint
from mmmix.apis.reporting import write_json
from mmmix.studies.seeds.logged_metrics import read_metrics, scalar_files
from mmmix.studies.seeds.made_by import MADE_BY

Record = dict[str, Any]
"""A run's entry in ``results.json``: config, seed, state, metrics, ..."""

RESULTS = 'results.json'
_RECORD = 'record.json'
_STATES = ('started', 'trained', 'done')
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""What a file of records raises that is not whole, or none."""
TEST_FOLDERS = {'last': 'test', 'best': 'test_best'}
"""Where in a run's folder the tests of its last and of its best checkpoint are."""
METRICS = {'last': 'metrics', 'best': 'metrics_best'}
"""Where in a record their metrics are."""


def write_records(
    folder: Path, records: Mapping[str, Record], run: Path | None = None
) -> None:
    """Write ``results.json``, after the copy of one record in its run's folder."""
    if run is not None:
        name = f'{run.parent.name}/{run.name}'
        write_json(run / _RECORD, records[name])
    write_json(folder / RESULTS, {'runs': dict(records)})


def read_records(folder: Path) -> tuple[dict[str, Record], str]:
    """The records of a study by name of the run, none if it has not begun.

    Returns:
        The records; and what is wrong with ``results.json``, an empty text if
        nothing is. Where something is, they come from the folders of the runs.
    """
    file = folder / RESULTS
    if not file.exists():
        return {}, ''
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
        runs = content['runs']
        for name, record in runs.items():
            _check(name, record)
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        return rebuild_records(folder), f'{file} is damaged ({reason})'
    return runs, ''


def is_done(record: Mapping[str, Any], metrics: str) -> bool:
    """Whether a run was tested with the checkpoint whose metrics are so called."""
    return record.get('state') == 'done' and metrics in record


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that another can take its place.

    Returns:
        Its new path, ``<name>.damaged`` or, if there is one, with a number.
    """
    number = 1
    target = path.with_name(f'{path.name}.damaged')
    while target.exists():
        number += 1
        target = path.with_name(f'{path.name}.damaged{number}')
    path.rename(target)
    return target


def rebuild_records(folder: Path) -> dict[str, Record]:
    """The records of a study as the folders of its runs tell them.

    A run of an older version keeps no copy of its record. It counts as done if it was
    tested after its last checkpoint was saved, and its config as the present one.
    """
    return {
        f'{run.parent.name}/{run.name}': _record_of(run)
        for run in sorted(folder.glob('*/seed_*'))
        if run.is_dir() and run.name.removeprefix('seed_').lstrip('-').isdecimal()
    }


def _record_of(run: Path) -> Record:
    """A run's record, from its copy or from what the run has left."""
    record = record_in(run)
    if record is None:
        record = dict(
            config=run.parent.name + ('' if '@' in run.parent.name else '.py'),
            seed=int(run.name.removeprefix('seed_')),
            fingerprint=None,
            state='started',
            error=None,
        )
        metrics = _tested(run)
        if metrics:
            record |= dict(state='done', metrics=metrics)
    return record


def record_in(run: Path) -> Record | None:
    """The copy of a run's record in its folder; None without a whole one."""
    try:
        record = json.loads((run / _RECORD).read_text(encoding='utf-8'))
        _check(f'{run.parent.name}/{run.name}', record)
    except _DAMAGE:
        return None
    return record


def _tested(run: Path) -> dict[str, float]:
    """The metrics of the last checkpoint, if it was tested and is there."""
    files = scalar_files(run / TEST_FOLDERS['last'])
    try:
        checkpoint = last_checkpoint(run)
    except DamagedCheckpointError:
        return {}
    if checkpoint is None or not files:
        return {}
    newest = max(files, key=lambda path: path.stat().st_mtime)
    if newest.stat().st_mtime < Path(checkpoint).stat().st_mtime:
        return {}
    try:
        return read_metrics(newest)
    except (OSError, ValueError, AttributeError):
        return {}


def _check(name: str, record: Record) -> None:
    """Refuse what is no record.

    Raises:
        ValueError: If a value is none that a study writes.
        KeyError: If one is missing.
        TypeError: If the record is no mapping.
    """
    right = (
        isinstance(record['config'], str)
        and isinstance(record['seed'], int)
        and record['state'] in _STATES
        and isinstance(record['fingerprint'], (str, type(None)))
        and isinstance(record.get('minutes', 0.0), (int, float))
        and all(isinstance(maker, dict) for maker in record.get(MADE_BY, []))
    )
    if right and record['state'] == 'done':
        found = [record[key] for key in METRICS.values() if key in record]
        values = [value for metrics in found for value in metrics.values()]
        right = bool(found) and all(isinstance(v, (int, float)) for v in values)
    if not right:
        raise ValueError(f'{name} is no record of a run: {record}')
