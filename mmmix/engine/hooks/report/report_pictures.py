"""The pictures of a run's page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

from mmmix.engine.whole_files import write_whole
from mmmix.visualization import DrawingGuard
from mmmix.visualization.report import RunRecord, draw_examples, embedded, shrink

PER_SERIES = 2
"""How many batches of a kind to show."""

_BATCH = re.compile(r'((?:mix_)?preview\w*)_(\d+)\.png')


class ReportPictures:
    """Keeps small copies of what previews drew, and draws telling images.

    Args:
        folder: Where pictures lie; made when there is one.
        record: Knows which there are.
    """

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self._folder = folder
        self._record = record
        self._drawn: dict[str, Any] = {}

    def update(
        self, runner: Runner, classes: Sequence[str], guard: DrawingGuard
    ) -> None:
        """Add the batches that are new, and draw the validation if it is.

        Args:
            runner: The run.
            classes: Names of the labels.
            guard: Keeps what cannot be drawn from the rest of the page.
        """
        guard(self._add_batches, runner)
        for name, found in self._record.validations.items():
            if self._drawn.get(name) is not found:
                self._drawn[name] = found
                guard(self._add_examples, name, found, classes)

    def embedded(self) -> dict[str, str]:
        """Data URIs by title, as far as the files are there."""
        paths = {t: self._folder / name for t, name in self._record.pictures.items()}
        return {t: embedded(p.read_bytes()) for t, p in paths.items() if p.is_file()}

    def _add_batches(self, runner: Runner) -> None:
        """Copy the first pictures of each kind that the previews drew."""
        shown = Counter(title.partition(',')[0] for title in self._record.pictures)
        for series, iteration, path in _batches(Path(runner.log_dir)):
            title = f'{series}, iteration {iteration}'
            if title not in self._record.pictures and shown[series] < PER_SERIES:
                self._keep(title, f'{series}_{iteration}.jpg', shrink(path))
                shown[series] += 1

    def _add_examples(
        self, name: str, found: dict[str, Any], classes: Sequence[str]
    ) -> None:
        """Draw the best and the worst images of a validation."""
        for kind in ('best', 'worst'):
            if found[kind]:
                title = (
                    f'{kind} validation images{" of the " if name else ""}{name}: '
                    'objects above, detections from a score of 0.3 on below'
                )
                file = f'{kind}_{name}.jpg' if name else f'{kind}.jpg'
                self._keep(title, file, draw_examples(found[kind], classes))

    def _keep(self, title: str, name: str, content: bytes) -> None:
        """Write a picture, and note it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / name, content)
        self._record.pictures[title] = name


def _batches(folder: Path) -> list[tuple[str, int, Path]]:
    """Series, iteration and path of the previews of a run, by iteration."""
    found = [
        (match[1], int(match[2]), path)
        for path in folder.glob('vis_data/vis_image/*.png')
        if (match := _BATCH.fullmatch(path.name))
    ]
    return sorted(found, key=lambda entry: entry[1:])
