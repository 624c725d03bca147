"""The metrics that a test wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_NO_METRICS = ('time', 'data_time')


def scalar_files(folder: Path) -> set[Path]:
    """The metric files that tests with this work directory left.

    mmengine's ``LoggerHook`` names them ``<time>/<time>.json``.
    """
    return {path for path in folder.glob('*/*.json') if path.stem == path.parent.name}


def read_metrics(path: Path) -> dict[str, float]:
    """The scalar metrics of a test; timings and class-wise lists are left out."""
    content = json.loads(path.read_text(encoding='utf-8'))
    return {
        key: float(value)
        for key, value in content.items()
        if isinstance(value, (int, float))
        and not isinstance(value, bool)
        and key not in _NO_METRICS
    }


def validations(folder: Path, metric: str) -> list[tuple[int, float]]:
    """The validations of a training so far: the step, and a metric.

    A step that was validated again, after a resume, counts once, as it was last.

    Args:
        folder: Working directory of the training.
        metric: Its name in the log.
    """
    return sorted(
        {
            int(entry['step']): float(entry[metric])
            for entry in _entries(folder)
            if metric in entry
        }.items()
    )


def logged_metrics(folder: Path) -> list[str]:
    """The metrics of a training's validations, named ``<kind>/<name>``."""
    return list(
        dict.fromkeys(k for entry in _entries(folder) for k in entry if '/' in k)
    )


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What a training has logged so far, in the order of time."""
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            with suppress(ValueError):  # The last line may be on its way.
                yield json.loads(line)
