"""Mean ± spread over seeds, and differences paired by seed with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmmix.apis.configs.config_reading import config_name
from mmmix.apis.reporting import markdown_table
from mmmix.studies.seeds.in_words import caution, in_words, told_metrics
from mmmix.studies.seeds.intervals import detectable, half_width
from mmmix.studies.seeds.made_by import made_unlike
from mmmix.studies.seeds.records import METRICS, is_done, read_records

Scores = dict[str, dict[int, dict[str, float]]]
"""Metrics by config name, then seed, then metric."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) of n values.

    ``std`` is None for a single value, ``mean`` too for none.
    """

    mean: float | None
    std: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of ``values``."""
        mean = float(np.mean(values)) if values else None
        std = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return cls(mean, std, len(values))

    def text(self, sign: str = '') -> str:
        """Such as ``0.713 ± 0.012 (3)``; ``sign='+'`` shows a plus."""
        if self.mean is None:
            return 'n/a'
        spread = '' if self.std is None else f' ± {self.std:.3f}'
        return f'{self.mean:{sign}.3f}{spread} ({self.n})'

    def interval(self) -> str:
        """Such as ``+0.012 [-0.003, +0.027] (5)``, the 95 % interval of the mean."""
        if self.mean is None or self.std is None:
            return self.text('+')
        half = half_width(self.std, self.n)
        low, high = self.mean - half, self.mean + half
        return f'{self.mean:+.3f} [{low:+.3f}, {high:+.3f}] ({self.n})'

    def sureness(self) -> dict[str, float]:
        """Half the width of the interval, and the mean that would be found."""
        if self.std is None:
            return {}
        return {
            'half_width': half_width(self.std, self.n),
            'detectable': detectable(self.std, self.n),
        }


def finished_scores(
    records: Mapping[str, Mapping[str, Any]],
    configs: Sequence[str],
    metrics: str = 'metrics',
) -> Scores:
    """The metrics of finished runs, in the order of ``configs``.

    Args:
        records: Runs of ``results.json``.
        configs: Config files or names to report on.
        metrics: Where in a record the metrics are.
    """
    scores: Scores = {config_name(config): {} for config in configs}
    for record in records.values():
        name = config_name(record['config'])
        if name in scores and is_done(record, metrics):
            scores[name][record['seed']] = record[metrics]
    return scores


def choose_metrics(scores: Scores, wanted: Sequence[str] | None) -> list[str]:
    """The metrics to report: those wanted that runs have, or all where none is."""
    known = _known_metrics(scores)
    if not known:
        return list(wanted or ())
    return [key for key in wanted or () if key in known] or known


def unknown_metrics(scores: Scores, wanted: Sequence[str] | None) -> str:
    """What to say of wanted metrics that no run has; nothing if there is no run yet."""
    known = _known_metrics(scores)
    missing = [key for key in wanted or () if key not in known]
    if not known or not missing:
        return ''
    return f'--metric: no run has the metrics {missing}; there are {known}'


def check_metrics(
    records: Mapping[str, Mapping[str, Any]],
    configs: Sequence[str],
    wanted: Sequence[str] | None,
    checkpoint: str = 'last',
) -> None:
    """Refuse a misspelt metric where there are runs that tell.

    Raises:
        KeyError: With the metrics that there are.
    """
    unknown = unknown_metrics(
        finished_scores(records, configs, METRICS[checkpoint]), wanted
    )
    if unknown:
        raise KeyError(unknown)


def _known_metrics(scores: Scores) -> list[str]:
    runs = [metrics for seeds in scores.values() for metrics in seeds.values()]
    return list(dict.fromkeys(key for metrics in runs for key in metrics))


def make_report(
    folder: Path,
    configs: Sequence[str],
    metrics: Sequence[str] | None,
    checkpoint: str = 'last',
) -> tuple[str, dict[str, Any]]:
    """The report on what ``results.json`` has of these configs.

    What is wrong with it, metrics that no run has, runs that were made by other code
    than the others, and runs that failed are remarks.
    """
    records, damage = read_records(folder)
    key = METRICS[checkpoint]
    scores = finished_scores(records, configs, key)
    text, numbers = report(scores, choose_metrics(scores, metrics))
    if damage:
        text = f'{damage}: these are what the folders of the runs tell.\n\n{text}'
    asked = {n: r for n, r in records.items() if config_name(r['config']) in scores}
    failed = {
        name: record['error']
        for name, record in asked.items()
        if record.get('error') and not is_done(record, key)
    }
    remarks = [
        unknown_metrics(scores, metrics),
        made_unlike({name: r for name, r in asked.items() if is_done(r, key)}),
        *(f'{name} FAILED: {error}' for name, error in failed.items()),
    ]
    text = '\n\n'.join(filter(None, [text, *remarks]))
    return text, {**numbers, 'failed': failed}


def without_runs(folder: Path, configs: Sequence[str], checkpoint: str = 'last') -> str:
    """What to say where no run of these configs is finished; nothing where one is."""
    records, _ = read_records(folder)
    if any(finished_scores(records, configs, METRICS[checkpoint]).values()):
        return ''
    counts: dict[str, list[bool]] = {}
    for record in records.values():
        done = is_done(record, METRICS[checkpoint])
        counts.setdefault(config_name(record['config']), []).append(done)
    there = ', '.join(f'{n} ({sum(d)} of {len(d)})' for n, d in counts.items())
    names = ', '.join(config_name(config) for config in configs)
    return (
        f'no finished run of {names} in {folder}, tested with --checkpoint '
        f'{checkpoint}; it has {there or "no runs"}'
    )


def spread_over_seeds(scores: Scores, metric: str) -> dict[str, Spread]:
    """Mean and spread of a metric for each config."""
    return {
        name: Spread.of([m[metric] for m in runs.values() if has_value(m, metric)])
        for name, runs in scores.items()
    }


def paired_differences(scores: Scores, metric: str) -> dict[str, Spread]:
    """Spread of each config's difference to the first one, over common seeds."""
    base = next(iter(scores.values()))
    differences = {}
    for name, runs in list(scores.items())[1:]:
        pairs = [(runs[seed], base[seed]) for seed in runs if seed in base]
        differences[name] = Spread.of(
            [
                ours[metric] - theirs[metric]
                for ours, theirs in pairs
                if has_value(ours, metric) and has_value(theirs, metric)
            ]
        )
    return differences


def has_value(metrics: Mapping[str, float], metric: str) -> bool:
    """Whether a run has a number for a metric."""
    # COCO reports -1 where the data hold no object of a size.
    value = metrics.get(metric, -1.0)
    return math.isfinite(value) and value != -1.0


def report(scores: Scores, metrics: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The study's tables as markdown, and the same numbers for JSON."""
    spreads = {metric: spread_over_seeds(scores, metric) for metric in metrics}
    paired = {metric: paired_differences(scores, metric) for metric in metrics}
    first, *others = scores
    header = ['config', *metrics]
    rows = [[name, *(spreads[m][name].text() for m in metrics)] for name in scores]
    text = 'Mean ± standard deviation over seeds (number of seeds)\n\n'
    text += markdown_table(header, rows)
    if others:
        rows = [
            [name, *(paired[m][name].interval() for m in metrics)] for name in others
        ]
        text += f'\n\nDifference to {first}, paired by seed, and its 95 % interval\n\n'
        text += markdown_table(header, rows)
        text += f'\n\nBeside {first}:\n\n{_told(paired, others)}'
    numbers = {
        'mean': {m: {k: asdict(v) for k, v in spreads[m].items()} for m in metrics},
        'paired': {
            m: {k: asdict(v) | v.sureness() for k, v in paired[m].items()}
            for m in metrics
        },
    }
    return text, numbers


def _told(paired: Mapping[str, Mapping[str, Spread]], others: Sequence[str]) -> str:
    """The differences as a list of sentences."""
    told = [(name, key) for name in others for key in told_metrics(list(paired))]
    spreads = [paired[key][name] for name, key in told]
    lines = [
        f'- {in_words(*names, **asdict(spread))}'
        for names, spread in zip(told, spreads)
    ]
    compared = sum(spread.std is not None for spread in spreads)
    return '\n\n'.join(filter(None, ['\n'.join(lines), caution(compared)]))
