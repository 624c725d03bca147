"""The metrics that a test wrote."""

from __future__ import annotations

import json
from pathlib import Path

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
