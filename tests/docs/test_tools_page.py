"""The page of tools: every subcommand, beside the script that does the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmmix.commands.subcommands import SUBCOMMANDS

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r'^\|([^|]*)\|([^|]*)\|', re.M)
WORDS = re.compile(r'`([^`]+)`')
ALONE = ('init', 'check', 'predict', 'configs', 'completion')


def rows():
    """Subcommands and scripts of each row, without their arguments."""
    page = (ROOT / 'docs/tools.md').read_text().partition('\n## ')[0]
    for cells in ROW.findall(page)[2:]:
        yield [[text.split()[0] for text in WORDS.findall(cell)] for cell in cells]


def test_every_subcommand_has_a_row():
    named = [name for names, _ in rows() for name in names]
    assert sorted(named) == sorted(SUBCOMMANDS)


@pytest.mark.parametrize(('names', 'scripts'), list(rows()))
def test_scripts_do_what_the_subcommand_beside_them_does(names, scripts):
    assert all((ROOT / 'tools' / script).exists() for script in scripts)
    files = [script for script in scripts if script.endswith('.py')]
    modules = [SUBCOMMANDS[name].module for name in names]
    if files:
        assert [Path(script).stem for script in files] == modules
    elif scripts and names:
        (folder,) = scripts
        found = {path.stem for path in (ROOT / 'tools' / folder).glob('*.py')}
        assert set(modules) <= found
    else:
        assert bool(scripts) != bool(names)
        assert set(names) <= set(ALONE)
