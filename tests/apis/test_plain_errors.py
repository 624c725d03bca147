"""Which errors are said in a line, and which keep their traceback."""

from __future__ import annotations

import io
import sys

import pytest
import torch

from mmmix.apis.launching.folder_lock import lock_folder
from mmmix.apis.plain_errors import plain_errors, text_of
from mmmix.apis.tracking import track
from mmmix.functional.ema import copy_update


def test_a_folder_in_use_is_said_in_a_line(tmp_path, capsys):
    with (
        lock_folder(tmp_path),
        pytest.raises(SystemExit, match='^1$'),
        plain_errors(),
    ):
        lock_folder(tmp_path)
    assert 'is in use by' in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said_in_a_line(tmp_path, capsys):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match='^1$'), plain_errors():
        lock_folder(tmp_path / 'file')
    assert 'choose another --work-dir' in capsys.readouterr().err


def test_a_missing_package_is_said_in_a_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'mlflow', None)
    with pytest.raises(SystemExit, match='^1$'), plain_errors():
        track({}, 'mlflow')
    assert 'mlflow' in capsys.readouterr().err


def test_what_an_operation_in_our_code_raises_keeps_its_traceback():
    """Of torch, the innermost frame is ours all the same."""
    with pytest.raises(RuntimeError), plain_errors():
        copy_update([torch.zeros(2)], [torch.zeros(3)])


def test_a_letter_that_the_output_lacks_is_no_error(monkeypatch):
    """As where Windows writes to a file: its encoding has no λ."""
    written = io.BytesIO()
    output = io.TextIOWrapper(written, encoding='cp1252', write_through=True)
    monkeypatch.setattr(sys, 'stdout', output)
    with plain_errors():
        sys.stdout.write('λ ± 1')
    assert written.getvalue().decode('cp1252') == '\\u03bb ± 1'


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (KeyError("no 'a'; take b"), "no 'a'; take b"),
        (KeyError(), 'KeyError'),
        (AssertionError(), 'AssertionError'),
        (ValueError('7 is odd'), '7 is odd'),
    ],
)
def test_an_error_says_its_text_or_what_it_is(error, text):
    assert text_of(error) == text
