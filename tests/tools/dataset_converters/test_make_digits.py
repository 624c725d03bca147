"""The command that generates the digits data."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from mmmix.datasets.digits.generate import read_manifest

TOOL = Path(__file__).parents[3] / 'tools/dataset_converters/make_digits.py'


@pytest.fixture
def main(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location('make_digits', TOOL)
    tool = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'make_digits', tool)
    spec.loader.exec_module(tool)
    monkeypatch.chdir(tmp_path)
    return tool.main


def test_command_writes_once_and_says_so(main, capsys):
    arguments = ['--train', '1', '--val', '1', '--test', '0', '--seed', '3']
    main(arguments)
    assert capsys.readouterr().out == '2 images of digits written to data/digits\n'
    assert read_manifest(Path('data/digits'))['content'] == {
        **{'version': 1, 'domain': 'source', 'seed': 3},
        **{'train': 1, 'val': 1, 'test': 0},
    }
    main(arguments)
    assert capsys.readouterr().out == '2 images of digits already in data/digits\n'
    main([*arguments, '--domain', 'target', '--coco'])
    assert read_manifest(Path('data/digits_target'))['coco'] is True
    with pytest.raises(SystemExit, match='make_digits: .*other settings'):
        main(['--train', '4'])


def test_command_reports_bad_numbers_without_a_traceback(main):
    with pytest.raises(SystemExit, match='train must not be negative, got -2'):
        main(['--train', '-2'])
    assert not Path('data').exists()
