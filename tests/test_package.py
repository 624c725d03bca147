"""Wheels, sdists and editable installs, built from a copy of the sources."""

import email
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import mmmix

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ['setup.py', 'pyproject.toml', 'MANIFEST.in', 'model-index.yml', 'LICENSE']
SOURCES += [
    'mmmix_command.py',
    'README.md',
    'CHANGELOG.md',
    'mmmix',
    'configs',
    'tools',
    'requirements',
]


def call(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Runs a Python command of the environment and returns what it printed."""
    result = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(kind: str, sources: Path, target: Path) -> Path:
    """Builds with the backend of the project; returns the file."""
    code = f'from setuptools.build_meta import *; build_{kind}({str(target)!r})'
    call('-c', code, cwd=sources)
    (built,) = target.iterdir()
    return built


def files_below(*names: str) -> set[str]:
    """Files of the checkout in folders (or files) of these names."""
    paths = [
        path for name in names for path in [ROOT / name, *(ROOT / name).rglob('*')]
    ]
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    """A copy of what is packaged, with left-overs that must not be."""
    target = tmp_path_factory.mktemp('sources')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target / name)
    for left_over in [
        'tools/__pycache__/a.pyc',
        'build/lib/mmmix/.mim/configs/old.py',
        'tests/test_a.py',
    ]:
        (target / left_over).parent.mkdir(parents=True)
        (target / left_over).touch()
    return target


@pytest.fixture(scope='module')
def wheel(sources, tmp_path_factory):
    return build('wheel', sources, tmp_path_factory.mktemp('wheel'))


def test_wheel_holds_every_module_and_mim_file(wheel):
    held = {
        name for name in zipfile.ZipFile(wheel).namelist() if '.dist-info' not in name
    }
    modules = {name for name in files_below('mmmix') if name.endswith('.py')}
    modules.add('mmmix_command.py')
    extra = files_below('configs', 'tools', 'model-index.yml')
    assert 'tools/train.py' in extra
    others = {'mmmix/py.typed', 'mmmix/visualization/report/page.html.jinja'}
    assert held == modules | others | {f'mmmix/.mim/{name}' for name in extra}


def test_no_build_leaves_mim_in_the_sources(sources, wheel, tmp_path):
    editable = zipfile.ZipFile(build('editable', sources, tmp_path))
    assert not [name for name in editable.namelist() if '.mim' in name]
    assert not (sources / 'mmmix' / '.mim').exists()


def test_wheel_from_sdist_is_the_same(sources, wheel, tmp_path):
    (tmp_path / 'sdist').mkdir()
    (tmp_path / 'wheel').mkdir()
    sdist = build('sdist', sources, tmp_path / 'sdist')
    shutil.unpack_archive(sdist, tmp_path, filter='data')
    unpacked = tmp_path / sdist.name.removesuffix('.tar.gz')
    assert not (unpacked / 'tests').exists()  # a few of them run nowhere
    second = build('wheel', unpacked, tmp_path / 'wheel')
    names = [sorted(zipfile.ZipFile(path).namelist()) for path in (wheel, second)]
    assert names[0] == names[1]


def test_metadata_requires_no_stack_and_names_both_as_extras(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith('/METADATA'))
    metadata = email.message_from_bytes(archive.read(name))
    assert metadata['Version'] == mmmix.__version__
    assert metadata['License-Expression'] == 'Apache-2.0'
    required = metadata.get_all('Requires-Dist')
    assert [line for line in required if 'extra ==' not in line] == [
        'imagehash',
        'numpy',
        'packaging',
        'pillow',
        'pyyaml',
        'scipy',
        'tqdm',
    ]
    for extra in ('onedl', 'openmmlab'):
        pins = [line.split(';')[0] for line in required if f'"{extra}"' in line]
        in_file = (ROOT / 'requirements' / f'{extra}.txt').read_text().splitlines()
        exact = [line.split('==') for line in in_file if not line.startswith('#')]
        assert len(pins) == len(exact)
        for pin, (package, version) in zip(map(Requirement, pins), exact):
            assert pin.name == package
            major, minor, patch = map(int, version.split('.'))
            assert version in pin.specifier
            assert f'{major}.{minor}.{patch + 1}' in pin.specifier
            assert f'{major}.{minor + 1}.0' not in pin.specifier


def test_the_page_on_pypi_links_to_the_repository(sources):
    """Where its address is known; without, the page is the README as it is."""
    readme = (sources / 'README.md').read_text()
    url = 'https://example.org/a/mmmix'
    command = ['setup.py', '--quiet', '--no-user-cfg', '--long-description']
    page = call(*command, cwd=sources, MMMIX_REPOSITORY_URL='')
    assert page.strip() == readme.strip()
    page = call(*command, cwd=sources, MMMIX_REPOSITORY_URL=url)
    links = [re.findall(r'(!?)\[[^\]]+\]\(([^)]+)\)', text) for text in (readme, page)]
    assert len(links[0]) == len(links[1]) > 20
    for (mark, before), (_, after) in zip(*links):
        kind = 'raw' if mark else 'blob'
        outside = before.startswith('https://')
        assert after == (before if outside else f'{url}/{kind}/main/{before}')
    assert f'{url}/raw/main/docs/mixed_batch.png' in page
    assert f'{url}/blob/main/docs/evidence.md#map' in page


def test_installed_wheel_finds_its_own_configs(wheel, tmp_path):
    site, empty = tmp_path / 'site', tmp_path / 'empty'
    empty.mkdir()
    pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index']
    call(*pip, '--target', site, wheel, cwd=empty)
    (empty / 'child.py').write_text("_base_ = 'mmmix::ssd300_voc_boxmix.py'\n")
    code = """
import mmmix
from mmengine.config import Config
Config.fromfile('child.py')
print(mmmix.config_path('ssd300_voc_boxmix.py'))
"""
    found = call('-c', code, cwd=empty, PYTHONPATH=str(site)).splitlines()[-1]
    expected = site / 'mmmix' / '.mim' / 'configs' / 'ssd300_voc_boxmix.py'
    assert Path(found) == expected


def test_every_folder_of_modules_is_a_package():
    folders = {
        Path(name).parent for name in files_below('mmmix') if name.endswith('.py')
    }
    assert not [
        folder for folder in folders if not (ROOT / folder / '__init__.py').exists()
    ]


def test_every_requirement_is_pinned_once():
    pins = {}
    for file in sorted((ROOT / 'requirements').glob('*.txt')):
        for line in file.read_text().splitlines():
            if not line.startswith('#'):
                name, version = re.fullmatch(
                    r'([\w-]+)==([\w.]+)(?:;.*)?', line
                ).groups()
                assert name not in pins, f'{name} is pinned twice'
                pins[name] = version
    assert {'torch', 'numpy', 'ruff', 'mmcv', 'onedl-mmcv'} <= pins.keys()


def test_pre_commit_uses_the_pinned_ruff():
    hooks = (ROOT / '.pre-commit-config.yaml').read_text()
    revision = re.search(r'ruff-pre-commit\n\s+rev: v([\d.]+)', hooks)[1]
    assert f'ruff=={revision}\n' in (ROOT / 'requirements' / 'dev.txt').read_text()


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['cff-version'] == '1.2.0'
    assert citation['version'] == mmmix.__version__
    assert citation['license'] == 'Apache-2.0'
    assert citation['authors'] == [dict(name='the mmmix authors')]


def test_the_changelog_has_a_section_of_this_version():
    """What is not released yet stands above the last release."""
    sections = re.findall(r'^## \[(.*?)\]', (ROOT / 'CHANGELOG.md').read_text(), re.M)
    version = Version(mmmix.__version__)
    if version.is_devrelease:
        assert sections[0] == 'Unreleased'
        assert version > Version(sections[1])
    else:
        assert mmmix.__version__ in sections
    assert len(set(sections)) == len(sections)
