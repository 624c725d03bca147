"""The command that makes patches of digits."""

from __future__ import annotations

import runpy

import pytest

TOOL = 'mmmix.commands.make_digit_patches'


def test_command(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    main = runpy.run_module(TOOL)['main']
    main(['--count', '1'])
    assert (
        'patches of digits written to data/digit_patches\n' in capsys.readouterr().out
    )
    assert len(list((tmp_path / 'data/digit_patches').rglob('*.png'))) == 10
    main(['--count', '1'])
    assert '10 patches of digits already in data/' in capsys.readouterr().out
    main(['--count', '1', '--domain', 'target', '--out', 'striped'])
    assert (tmp_path / 'striped/nine/nine_0.png').is_file()
    with pytest.raises(FileExistsError, match='other files'):
        main(['--count', '2'])
