"""The page itself: which figures there are, and the HTML around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from .figures import bars, histogram, line_grid, precision_recall
from .run_record import RunRecord

Curves = dict[str, list[list[Any]]]

SECTIONS = ('Metrics', 'Classes', 'Training', 'Mixing', 'Images')
_OF_OBJECTS = ('Classes', 'Images')

_MODELS = ('teacher', 'student', 'current')
"""What the validation of a teacher puts before a metric's name."""


def render_page(
    record: RunRecord,
    facts: Mapping[str, str],
    pictures: Mapping[str, str],
    recalls: list[float],
    detects: bool = True,
) -> bytes:
    """Make the page of a run: one HTML file that needs no other and no network.

    Args:
        record: Its numbers.
        facts: What to say at the top, by name; ``title`` is the headline.
        pictures: Data URIs by their title.
        recalls: Where the curves of precision were read off.
        detects: Whether the model finds objects; a classifier's page has no AP and no
            pictures.
    """
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    template = jinja2.Environment(loader=loader, autoescape=True).get_template(
        'page.html.jinja'
    )
    training, validation = split_curves(record.curves)
    return template.render(
        facts=facts,
        detects=detects,
        sections=SECTIONS if detects else [s for s in SECTIONS if s not in _OF_OBJECTS],
        pictures=pictures,
        metrics=metric_rows(validation),
        validations=record.validations,
        figures=_figures(record, training, validation, recalls),
        # How many images were mixed, of how many that a mixer met.
        mixing=[sum(row[column] for row in record.mixing) for column in (2, 1)],
    ).encode()


def split_curves(curves: Curves) -> tuple[Curves, Curves]:
    """Curves of the training, without ``train/``, and of the validation."""
    training = {
        name.removeprefix('train/'): points
        for name, points in curves.items()
        if name.startswith('train/')
    }
    return training, {n: p for n, p in curves.items() if not n.startswith('train/')}


def by_model(curves: Curves) -> dict[str, Curves]:
    """Curves by the metric's name, those of teacher and student together.

    A metric that never had a value, which COCO calls -1, is left out.
    """
    groups: dict[str, Curves] = {}
    for name, points in curves.items():
        if all(value in (None, -1) for _, value in points):
            continue
        model, _, rest = name.partition('/')
        title, label = (rest, model) if model in _MODELS else (name, '')
        groups.setdefault(title, {})[label] = points
    return groups


def metric_rows(curves: Curves) -> list[tuple[str, str, str, int]]:
    """Name, last and largest value of each metric, and the iteration of the latter."""
    rows = []
    for name, points in curves.items():
        finite = [point for point in points if point[1] is not None]
        if any(value != -1 for _, value in finite):
            best = max(finite, key=lambda point: point[1])
            rows.append((name, f'{finite[-1][1]:.4f}', f'{best[1]:.4f}', best[0]))
    return rows


def _figures(
    record: RunRecord, training: Curves, validation: Curves, recalls: list[float]
) -> dict[str, str]:
    """All figures that there is something to see in, by their place in the page."""
    losses = {n: {'': p} for n, p in training.items() if 'loss' in n}
    others = {n: {'': p} for n, p in training.items() if 'loss' not in n}
    share = record.mixed_share()
    if share:
        others['share of images mixed'] = {'': share}
    scored = {
        name or 'precision and recall': [c for c in found['classes'] if c['objects']]
        for name, found in record.validations.items()
    }
    aps = {
        name: {entry['name']: entry['ap'] for entry in classes}
        for name, classes in scored.items()
    }
    makers = {
        'losses': (line_grid, losses),
        'training': (line_grid, others),
        'metrics': (line_grid, by_model(validation)),
        'aps': (bars, {name: own for name, own in aps.items() if own}),
    }
    figures = {name: draw(data) for name, (draw, data) in makers.items() if data}
    if record.lam_counts().any():
        figures['lam'] = histogram(record.lam_counts().tolist())
    if any(scored.values()):
        figures['curves'] = precision_recall(recalls, scored)
    return figures
