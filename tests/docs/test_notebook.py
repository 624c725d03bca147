"""The notebook runs from top to bottom, with fewer images and one epoch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / 'docs/notebooks/first_run.ipynb'


def cells():
    return json.loads(NOTEBOOK.read_text())['cells']


def test_it_is_kept_without_outputs():
    for cell in cells():
        if cell['cell_type'] == 'code':
            assert cell['outputs'] == []
            assert cell['execution_count'] is None


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(tmp_path):
    code = [''.join(c['source']) for c in cells() if c['cell_type'] == 'code']
    script = tmp_path / 'notebook.py'
    script.write_text('\n\n'.join(code))
    settings = dict(
        MMMIX_NOTEBOOK_EPOCHS='1', MMMIX_NOTEBOOK_IMAGES='64', MPLBACKEND='Agg'
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **settings, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'weights: (0.7, 0.3' in done.stdout
    assert (tmp_path / 'first_run/run/report/index.html').is_file()
    assert (tmp_path / 'first_run/run/epoch_1.pth').is_file()
    assert 'pascal_voc/mAP' in done.stdout
