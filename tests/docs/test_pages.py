"""Pages: links lead somewhere, commands exist, the first page stays short."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mmmix.commands.subcommands import SUBCOMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'configs/README.md']
PAGES += sorted(str(p.relative_to(ROOT)) for p in (ROOT / 'docs').rglob('*.md'))

LINK = re.compile(r'\]\(([^)\s]+)\)')
BLOCK = re.compile(r'```bash\n(.*?)```', re.S)


def lines_of(page):
    """Commands of the bash blocks of a page, without comments, joined."""
    for block in BLOCK.findall((ROOT / page).read_text()):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def test_the_first_page_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 120


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_to_files(page):
    folder = (ROOT / page).parent
    text = re.sub(r'```.*?```', '', (ROOT / page).read_text(), flags=re.S)
    for link in LINK.findall(text):
        target = link.partition('#')[0]
        if target and ':' not in target:
            assert (folder / target).exists(), f'{page}: {link}'


@pytest.mark.parametrize('page', PAGES)
def test_commands_exist(page):
    for words in lines_of(page):
        if words[0] == 'mmmix' and not words[1].startswith('-'):
            assert words[1] in SUBCOMMANDS, words
        for word in words[:2]:
            if word.startswith(('tools/', '.dev/')):
                assert (ROOT / word).is_file(), words
