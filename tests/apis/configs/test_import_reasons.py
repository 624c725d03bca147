"""A config whose imports fail, where mmmix knows why."""

from __future__ import annotations

import sys

import pytest

from mmmix.apis.configs.config_path import config_path
from mmmix.apis.configs.config_reading import read_config


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
