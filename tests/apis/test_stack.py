"""The version guard, against stub packages in an otherwise empty interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import packaging
import pytest

ROOT = Path(__file__).resolve().parents[2]
USABLE = {
    'torch': '',
    'mmengine': '__version__ = "0.10.7"',
    'mmcv': '__version__ = "2.1.0"',
    'mmdet': '__version__ = "3.3.0"',
}
CASES = {
    'nothing installed': (
        dict.fromkeys(USABLE),
        ['needs torch, which is not installed'],
    ),
    'no mmengine': (
        {'mmengine': None},
        ['needs mmengine, which is not installed'],
    ),
    'no mmdet': (
        {'mmdet': None},
        ['needs mmdet, which is not installed'],
    ),
    'old mmengine': (
        {'mmengine': '__version__ = "0.7.1"'},
        ['mmengine >= 0.10.0, < 1.0.0', 'found 0.7.1 in', 'mmengine/__init__.py'],
    ),
    'old mmcv': (
        {'mmcv': '__version__ = "1.7.0"'},
        ['mmcv >= 2.0.0, < 3.0.0', 'found 1.7.0 in'],
    ),
    'mmcv without ops': (
        {'mmcv.ops': None},
        ['mmcv 2.1.0 in', "no usable ops (No module named 'mmcv.ops')", '--force'],
    ),
    'mmcv ops of another torch': (
        {'mmcv.ops': 'raise ImportError("undefined symbol: at::f")'},
        ['no usable ops (undefined symbol: at::f)'],
    ),
    'mmcv without cv2': (
        {'mmcv': 'import cv2'},
        ["mmcv is installed, but lacks what it needs itself: No module named 'cv2'"],
    ),
    'mmcv with a broken library': (
        {'mmcv': 'raise ImportError("libGL.so.1: cannot open shared object file")'},
        ['mmcv is installed but cannot be imported: libGL.so.1'],
    ),
    'mmdet 2': (
        {'mmdet': '__version__ = "2.28.2"'},
        ['mmdet >= 3.0.0, < 4.0.0', 'found 2.28.2 in'],
    ),
    'mmdet 4': (
        {'mmdet': '__version__ = "4.0.0"'},
        ['mmdet >= 3.0.0, < 4.0.0', 'found 4.0.0 in'],
    ),
    'mmdet refusing its mmcv': (
        {'mmdet': 'assert False, "MMCV==2.3.6 is used but incompatible."'},
        ['mmdet is installed but cannot be imported: MMCV==2.3.6 is used'],
    ),
    'a folder named mmdet': (
        {'mmdet': None, 'mmdet.docs': ''},
        ['found no version in', 'mmdet >= 3.0.0'],
    ),
}


def run_with(stubs: dict[str, str | None], folder: Path, code: str):
    """Runs code where only the stubs, packaging and mmmix can be imported."""
    sources = {**USABLE, 'mmcv.ops': '', **stubs}
    for name, source in sources.items():
        parent = sources.get(name.partition('.')[0])
        if source is None or (name == 'mmcv.ops' and parent is None):
            continue
        path = folder.joinpath(*name.split('.'))
        path.mkdir(parents=True)
        (path / '__init__.py').write_text(source)
    (folder / 'packaging').symlink_to(Path(packaging.__file__).parent)
    search = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, '-S', '-B', '-c', code],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': search},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize('case', CASES)
def test_unusable_stack_names_problem_and_both_stacks(case, tmp_path):
    stubs, expected = CASES[case]
    error = run_with(stubs, tmp_path, 'import mmmix').stderr
    assert '\nImportError: ' in error
    for part in [*expected, 'onedl-mmdetection', 'mmdet>=3.0,<4', 'MMCV_WITH_OPS=1']:
        assert part in error


@pytest.mark.parametrize(
    ('mmengine', 'mmcv', 'mmdet'),
    [('0.10.7', '2.1.0', '3.3.0'), ('0.10.12', '2.3.6', '3.5.1')],
)
def test_both_stacks_pass(mmengine, mmcv, mmdet, tmp_path):
    versions = {'mmengine': mmengine, 'mmcv': mmcv, 'mmdet': mmdet}
    stubs = {name: f'__version__ = "{version}"' for name, version in versions.items()}
    file = ROOT / 'mmmix' / 'apis' / 'stack.py'
    code = f'import runpy; runpy.run_path({str(file)!r})["check_stack"](); print("ok")'
    result = run_with(stubs, tmp_path, code)
    assert (result.stdout, result.stderr) == ('ok\n', '')
