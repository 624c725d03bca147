"""The lint step that keeps files short enough to be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / '.dev' / 'check_sizes.py'


@pytest.mark.parametrize(('lines', 'code'), [(300, 0), (301, 1)])
def test_files_of_300_lines_pass_and_longer_ones_are_named(tmp_path, lines, code):
    folder = tmp_path / 'mmmix' / 'models'
    folder.mkdir(parents=True)
    (folder / 'head.py').write_text('x = 1\n' * lines)
    (tmp_path / 'notes.py').write_text('x = 1\n' * 1000)  # not in a folder of ours
    done = subprocess.run(
        [sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == code
    named = f'{Path("mmmix/models/head.py")}: {lines} lines'
    assert (named in done.stdout) == bool(code)
    assert 'notes' not in done.stdout
