"""The directive ``config-table``: every leaf config, from ``configs/metafile.yml``."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
COLUMNS = ('config', 'method', 'detector', 'training data', 'GPUs', 'images per GPU')


def rows(metafile: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row of cells for each config, in the order of :data:`COLUMNS`.

    Args:
        metafile: The content of ``configs/metafile.yml``.
    """
    found = []
    for model in metafile['Models']:
        about = model['Metadata']
        found.append(
            (
                model['Config'].removeprefix('configs/').removesuffix('.py'),
                model['In Collection'],
                about['Detector'],
                str(about['Training Data']),
                str(about['Training Resources']),
                str(about['Images per GPU']),
            )
        )
    return found


def table(cells: list[tuple[str, ...]]) -> str:
    """A table that ``sort.js`` sorts by the column that is clicked."""

    def line(tag: str, row: tuple[str, ...]) -> str:
        inner = ''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in row)
        return f'<tr>{inner}</tr>'

    body = '\n'.join(line('td', row) for row in cells)
    return (
        f'<table class="sortable docutils"><thead>{line("th", COLUMNS)}</thead>\n'
        f'<tbody>\n{body}\n</tbody></table>'
    )


class ConfigTable(SphinxDirective):
    """Puts the table where it stands."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """Read the metafile and make the table."""
        path = CONFIGS / 'metafile.yml'
        self.env.note_dependency(str(path))
        cells = rows(yaml.safe_load(path.read_text(encoding='utf-8')))
        return [nodes.raw('', table(cells), format='html')]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive('config-table', ConfigTable)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
