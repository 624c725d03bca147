"""Configs that cannot be read, and what is said of them."""

from __future__ import annotations

import sys

import pytest

from mmmix.apis.configs.config_path import config_path
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.plain_errors import said_by_us


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file beside a config."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def refused(kind, config) -> str:
    with pytest.raises(kind) as caught:
        read_config(str(config))
    assert said_by_us(caught.value)
    return str(caught.value)


@pytest.mark.parametrize('leaf', ['base.py', 'leaf.py'])
def test_the_line_that_is_no_python(leaf, write):
    base = write('base.py', 'a = 1\nb = = 2\n')
    write('leaf.py', "_base_ = './base.py'\n")
    said = refused(ValueError, leaf)
    assert said.endswith('base.py: invalid syntax (line 2)')
    assert leaf == 'leaf.py' or said.startswith(str(base.name))


@pytest.mark.parametrize(
    ('line', 'kind', 'said'),
    [
        ('b = none', ValueError, "NameError: name 'none' is not defined"),
        ('b = dict(c=1)["d"]', ValueError, 'KeyError: d'),
        ('b = int("x")', ValueError, "invalid literal for int() with base 10: 'x'"),
        ('b = _base_.x', AttributeError, "'ConfigDict' object has no attribute 'x'"),
    ],
)
def test_the_line_that_stops(line, kind, said, write):
    write('base.py', 'y = 1\n')
    config = write('c.py', f"_base_ = './base.py'\n{line}\n")
    assert refused(kind, config) == f'{config}: {said} (line 2)'


def test_what_mmengine_refuses(write):
    write('one.py', 'a = 1\n')
    config = write('two.py', "_base_ = ['./one.py', './one.py']\n")
    said = refused(ValueError, config)
    assert said.startswith(f'{config}: ')
    assert 'Duplicate key' in said
    config = write('gone.py', "_base_ = './none.py'\n")
    said = refused(FileNotFoundError, config)
    assert said.startswith(f'{config}: ')
    assert 'none.py' in said
    config = write('config.txt', '')
    assert refused(ValueError, config) == (
        f'{config}: Only py/yml/yaml/json type are supported now!'
    )


def test_an_own_module_shows_where_it_stops(write):
    """The line of the module itself, and all of them if it is not that alone."""
    module = write('reading_own.py', 'x = 1\ny = none\n')
    config = write('c.py', "custom_imports = dict(imports=['reading_own'])\n")
    said = f"{module}: NameError: name 'none' is not defined (line 2)"
    assert refused(ValueError, config) == said
    write('reading_deep.py', 'import json\njson.loads("{")\n')
    write('c.py', "custom_imports = dict(imports=['reading_deep'])\n")
    with pytest.raises(ValueError, match='Expecting') as caught:
        read_config(str(config))
    assert not said_by_us(caught.value)
    assert 'reading_deep' not in sys.modules


def test_the_reason_of_ours_comes_last(monkeypatch):
    """mmengine's advice is to set PYTHONPATH, whatever fails."""
    for name in [name for name in sys.modules if name.startswith('mmmix.classif')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'mmpretrain', None)
    path = config_path('classification/r50_imagenet_cutmix.py')
    with pytest.raises(ImportError, match='mmpretrain') as raised:
        read_config(path)
    assert 'PYTHONPATH' not in str(raised.value)
    assert "pip install 'mmmix[classification]'" in str(raised.value)
    assert 'pip install --no-deps onedl-mmpretrain einops' in str(raised.value)
    assert 'requirements/' not in str(raised.value)


def test_another_import_keeps_the_words_of_mmengine(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text("custom_imports = dict(imports=['no_such_module'])\n")
    with pytest.raises(ImportError, match='PYTHONPATH'):
        read_config(str(path))
