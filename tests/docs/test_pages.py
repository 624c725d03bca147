"""Pages: links lead somewhere, commands parse, the first page stays short."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from mmmix.commands.subcommands import SUBCOMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
PAGES += sorted(
    str(p.relative_to(ROOT))
    for folder in ('configs', 'docs')
    for p in (ROOT / folder).rglob('*.md')
)

LINK = re.compile(r'\]\(([^)\s]+)\)')
HEADING = re.compile(r'^#+ (.+)$', re.M)
BLOCK = re.compile(r'```bash\n(.*?)```', re.S)
SHELLS = re.compile(r'[${}]|^\.\.\.$')
"""What a shell puts in, or a reader."""


def lines_of(page):
    """Commands of the bash blocks of a page, without comments, joined."""
    for block in BLOCK.findall((ROOT / page).read_text()):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def test_the_first_page_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 120


def prose_of(path):
    """A page without its blocks of code."""
    return re.sub(r'```.*?```', '', path.read_text(), flags=re.S)


def anchors_of(path):
    """What GitHub calls the headings of a page."""
    for heading in HEADING.findall(prose_of(path)):
        shown = LINK.sub(']', heading).lower()
        yield re.sub(r'[^\w\- ]', '', shown).replace(' ', '-')


def parser_of(words):
    """The module that a command runs, and the arguments it hands on; or None."""
    if words[0] == 'mmmix':
        name, rest = SUBCOMMANDS[words[1]].module, words[2:]
    elif words[0] == 'python' and words[1].startswith('tools/'):
        name, rest = Path(words[1]).stem, words[2:]
    else:
        return None
    if '--backbone' in rest:
        name, rest = 'export_backbone', [w for w in rest if w != '--backbone']
    return importlib.import_module(f'mmmix.commands.{name}'), rest


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_to_files_and_headings(page):
    for link in LINK.findall(prose_of(ROOT / page)):
        target, _, anchor = link.partition('#')
        if ':' in target:
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), f'{page}: {link}'
        assert not anchor or anchor in anchors_of(path), f'{page}: {link}'


@pytest.mark.parametrize('page', PAGES)
def test_commands_exist(page):
    for words in lines_of(page):
        if words[0] == 'mmmix' and not words[1].startswith('-'):
            assert words[1] in SUBCOMMANDS, words
        for word in words[:2]:
            if word.startswith(('tools/', '.dev/')):
                assert (ROOT / word).is_file(), words


@pytest.mark.parametrize('page', PAGES)
def test_commands_take_their_arguments(page):
    for words in lines_of(page):
        if '>' in words:
            words = words[: words.index('>')]
        if any(map(SHELLS.search, words)) or len(words) < 2 or words[1][0] == '-':
            continue
        parsed = parser_of(words)
        if parsed:
            module, rest = parsed
            module.parse_args(rest)
