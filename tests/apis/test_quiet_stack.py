"""Importing mmmix says nothing of what nobody asked for, and hides nothing else."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from mmmix.apis import quiet_stack
from mmmix.apis.quiet_stack import import_stack_quietly


def test_import_says_nothing():
    done = subprocess.run(
        [sys.executable, '-W', 'default::UserWarning', '-c', 'import mmmix'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ''
    for text in ('OneDL', 'faster_coco_eval'):
        assert text not in done.stderr


def test_other_lines_and_warnings_come_through(monkeypatch, tmp_path, capsys):
    (tmp_path / 'talking.py').write_text(
        'import warnings\n'
        "print('Could not import OneDL. Skipping.')\n"
        "print('the disk is full')\n"
        "warnings.warn('faster_coco_eval is not installed, ...')\n"
        "warnings.warn('beware')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(quiet_stack, 'MODULES', ('talking',))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        import_stack_quietly()
    assert capsys.readouterr().out == 'the disk is full\n'
    assert [str(warning.message) for warning in caught] == ['beware']


def test_an_import_that_fails_fails(monkeypatch):
    monkeypatch.setattr(quiet_stack, 'MODULES', ('no_such_module',))
    with pytest.raises(ModuleNotFoundError, match='no_such_module'):
        import_stack_quietly()
