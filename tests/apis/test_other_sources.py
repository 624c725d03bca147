"""A script beside other sources than those that it runs is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import mmmix
from mmmix.apis import other_sources

HERE = Path(mmmix.__file__).resolve().parents[1]


@pytest.fixture
def said(monkeypatch) -> list[str]:
    """What is logged."""
    texts: list[str] = []
    monkeypatch.setattr(other_sources, 'print_log', lambda text, *_: texts.append(text))
    return texts


@pytest.mark.parametrize('script', ['tools/train.py', 'tools/analysis_tools/study.py'])
def test_a_script_of_another_clone(script, said, tmp_path, monkeypatch):
    (tmp_path / 'mmmix').mkdir()
    (tmp_path / 'mmmix' / '__init__.py').touch()
    monkeypatch.setattr(sys, 'argv', [str(tmp_path / script), 'mine.py'])
    other_sources.warn_of_other_sources()
    (text,) = said
    assert text.startswith(
        f'{tmp_path / script} runs the sources in {HERE / "mmmix"}, '
    )
    assert text.endswith(f'PYTHONPATH={tmp_path}')


@pytest.mark.parametrize('script', [f'{HERE}/tools/train.py', '/usr/bin/mmmix', ''])
def test_others_are_left_alone(script, said, monkeypatch):
    monkeypatch.setattr(sys, 'argv', [script])
    other_sources.warn_of_other_sources()
    assert said == []
