"""The command that generates the digits data."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmix.commands import make_digits
from mmmix.testing.digits.generate import read_manifest


@pytest.fixture
def main(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return make_digits.main


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
    with pytest.raises(FileExistsError, match='other settings'):
        main(['--train', '4'])


def test_command_refuses_bad_numbers(main):
    with pytest.raises(ValueError, match='train must not be negative, got -2'):
        main(['--train', '-2'])
    assert not Path('data').exists()
