"""What the tests of the pages of evidence share: their rows, and the records behind."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmmix.studies.seeds.records import read_records
from mmmix.studies.seeds.report import (
    Scores,
    Spread,
    finished_scores,
    paired_differences,
    spread_over_seeds,
)
from mmmix.studies.trained.results.tables import cell

DOCS = Path(__file__).resolve().parents[2] / 'docs'
RECORDS = DOCS / 'evidence'
METRICS = ('pascal_voc/mAP', 'coco/AP', 'coco/AR_100')


def text_of(page: str) -> str:
    """The text of a page of ``docs``."""
    return (DOCS / page).read_text(encoding='utf-8')


def of_photographs(page: str) -> str:
    """The text of a page behind the evidence on photographs."""
    return text_of(f'studies/photographs/{page}.md')


def cells(row: str, text: str) -> list[str]:
    """The cells of a table's row without marks, behind its name.

    Args:
        row: Its name.
        text: What has the table, and no other row of this name.
    """
    (line,) = [line for line in text.splitlines() if line.startswith(f'| {row} |')]
    return [cell.strip(' *') for cell in line.strip('|').split('|')[1:]]


def scores_of(folder: str | tuple[str, ...], *configs: str) -> Scores:
    """The scores of undamaged records by config and seed.

    Args:
        folder: Of ``docs/evidence``, or several, each with seeds of its own.
        configs: Of ``configs/photos``, ``NAME.py`` or ``NAME.py+METHOD``.
    """
    if isinstance(folder, tuple):
        several = [scores_of(one, *configs) for one in folder]
        return {
            name: functools.reduce(_joined, (scores[name] for scores in several))
            for name in several[0]
        }
    records, damage = read_records(RECORDS / folder)
    assert not damage
    return finished_scores(records, [f'configs/photos/{config}' for config in configs])


def _joined(first: dict[int, Any], second: dict[int, Any]) -> dict[int, Any]:
    assert not first.keys() & second.keys()
    return first | second


def config_of(row: str) -> str:
    """The config of SSD that a row names: ``100 images, cropped, ...``."""
    images = row.split()[0].replace(',', '')
    if ', cropped,' in row:
        # The one that crops, with another list of images.
        return 'ssd160-lite0_animals300-crop.py'
    if ', jittered,' in row:
        return f'ssd160-lite0_animals{images}-jitter.py'
    return f'ssd160-lite0_animals{images}.py'


def without_seeds(text: str) -> str:
    """A number without the count of seeds behind it; n/a is a dash."""
    return '−' if text == 'n/a' else text.rpartition(' (')[0]


def seeds_and_means(scores: Scores) -> list[str]:
    """Seeds of the only config, and its mean of each metric."""
    spreads = [next(iter(spread_over_seeds(scores, m).values())) for m in METRICS]
    return [str(spreads[0].n), *(without_seeds(spread.text()) for spread in spreads)]


def mean_and_differences(scores: Scores) -> list[str]:
    """Seeds of the second config, its means and what it differs from the first by."""
    expected = []
    for metric in METRICS:
        _, spread = spread_over_seeds(scores, metric).values()
        (difference,) = paired_differences(scores, metric).values()
        expected += [spread.text(), difference.interval()]
    return [str(spread.n), *map(without_seeds, expected)]


def base_and_differences(scores: Scores, metric: str) -> list[str]:
    """Seeds and mean of the first config, and what the others differ from it by."""
    base, *_ = spread_over_seeds(scores, metric).values()
    differences = paired_differences(scores, metric).values()
    intervals = [without_seeds(spread.interval()) for spread in differences]
    return [str(base.n), without_seeds(base.text()), *intervals]


def claimed_cell(row: Mapping[str, str], metric: str, digits: int, seeds: int) -> str:
    """A mean, or a difference with its interval, as the pages of claims write it.

    Args:
        row: Of a table that ``summarise`` wrote.
        metric: Its column, ``Δ NAME`` for a difference.
        digits: Behind the point.
        seeds: How many are behind it.
    """
    spread = Spread(float(row[metric]), float(row[f'{metric}_std']), seeds)
    if not metric.startswith('Δ'):
        return cell(spread, digits)
    half = spread.sureness()['half_width']
    low, high = spread.mean - half, spread.mean + half
    return f'{spread.mean:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]'


def training_map(folder: str) -> str:
    """The baseline's mAP of the images that it was trained on, mean over seeds.

    A dash where it was not measured.
    """
    file = RECORDS / folder / 'training_map.json'
    if not file.exists():
        return '−'
    runs = json.loads(file.read_text())
    return f'{Spread.of(list(runs["baseline"].values())).mean:.2f}'
