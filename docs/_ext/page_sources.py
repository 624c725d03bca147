"""What a page says on a repository's page and cannot say on the site."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path

from sphinx.application import Sphinx

_LINK = re.compile(r'\[([^\]]+)\]\((\.\.?/[^)#\s]+|[\w/-]+\.md)(?:#[^)]*)?\)')
_PATTERN = re.compile(r'[\w/.-]+\*')


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change the text of a page before it is read.

    Links to files outside of ``docs/`` become their text and the file's path. Links to
    pages that are not there yet, which a test looks at, become their text. Patterns in
    tables of contents that no page fits are left out.

    Args:
        app: The build.
        docname: The page, without its ending.
        source: Its text, replaced in place.
    """
    docs = Path(app.srcdir)
    folder = (docs / docname).parent

    def plain(link: re.Match[str]) -> str:
        file = Path(os.path.normpath(folder / link[2]))
        if docs in file.parents:
            return link[0] if file.exists() else link[1]
        name = file.relative_to(docs.parent).as_posix()
        return f'{link[1]} (`{name}`)'

    lines = []
    for line in source[0].splitlines():
        if line == '*':
            lines += unnamed_pages(docs, source[0])
        elif not _PATTERN.fullmatch(line) or any(docs.glob(f'{line}.md')):
            lines.append(line)
    source[0] = _LINK.sub(plain, '\n'.join(lines)) + '\n'


def unnamed_pages(docs: Path, text: str) -> list[str]:
    """The pages in a folder itself that the lines of a text do not name.

    Args:
        docs: The folder.
        text: Names and patterns, one a line.
    """
    patterns = [line for line in text.splitlines() if line != '*']
    pages = sorted(path.stem for path in docs.glob('*.md') if path.stem != 'index')
    return [page for page in pages if not any(fnmatch(page, p) for p in patterns)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen for pages."""
    app.connect('source-read', prepare)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
