"""Prebuilt wheels of mmcv: their index, and a copy of one that pip reads."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / '.dev' / 'mmcv_wheels.py'
PIN = 'onedl-mmcv==2.3.6'


@pytest.fixture(scope='module')
def wheels():
    spec = importlib.util.spec_from_file_location('mmcv_wheels', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('stack', 'torch', 'cuda', 'tail'),
    [
        ('onedl', '2.9.1+cpu', '', 'cpu-torch290/simple/onedl-mmcv/index.html'),
        ('onedl', '2.12.0', '12.8', 'cu128-torch2120/simple/onedl-mmcv/index.html'),
        ('openmmlab', '2.1.2+cu118', '11.8', 'cu118/torch2.1.0/index.html'),
        ('openmmlab', '2.0.1', None, 'cpu/torch2.0.0/index.html'),
    ],
)
def test_the_index_is_that_of_the_torch(stack, torch, cuda, tail, wheels):
    assert wheels.wheel_index(stack, torch, cuda) == f'{wheels.BASES[stack]}/{tail}'


def write_wheel(folder: Path) -> None:
    """A wheel that holds one empty module, and the page that lists it."""
    name = 'onedl_mmcv-2.3.6-py3-none-any.whl'
    info = 'onedl_mmcv-2.3.6.dist-info'
    files = {
        'mmcv_probe.py': '',
        f'{info}/METADATA': 'Metadata-Version: 2.1\nName: onedl-mmcv\nVersion: 2.3.6\n',
        f'{info}/WHEEL': 'Wheel-Version: 1.0\nTag: py3-none-any\n',
    }
    record = ''
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f'{path},sha256={digest.rstrip(b"=").decode()},{len(text)}\n'
    files[f'{info}/RECORD'] = f'{record}{info}/RECORD,,\n'
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / name, 'w') as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    (folder / 'index.html').write_text(f'<a href="{name}">{name}</a>')


def test_pip_installs_the_wheel_of_a_copy_and_nothing_else(
    wheels, tmp_path, monkeypatch
):
    monkeypatch.setenv('MMCV_BASE_URL', f'{tmp_path.as_uri()}/')
    index = wheels.wheel_index('onedl', '2.9.1', None)
    write_wheel(tmp_path / 'cpu-torch290' / 'simple' / 'onedl-mmcv')
    pip = [sys.executable, '-m', 'pip', 'install', '--quiet', '--target']

    def install(index: str, pin: str) -> int:
        arguments = wheels.wheel_arguments(index, pin)
        command = [*pip, str(tmp_path / 'site'), *arguments]
        return subprocess.run(command, capture_output=True).returncode

    assert install(index, PIN) == 0
    assert (tmp_path / 'site' / 'mmcv_probe.py').is_file()
    # A torch, or a version, without a wheel is left to the compiler.
    assert install(wheels.wheel_index('onedl', '2.13.0', None), PIN) != 0
    assert install(index, 'onedl-mmcv==2.3.7') != 0
