"""How commands end."""

from __future__ import annotations

import pytest

from mmmix.apis.run_command import RESUMABLE, run_command


def interrupted() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_ends_with_code_130_and_a_line(capsys):
    with pytest.raises(SystemExit) as caught:
        run_command(interrupted, RESUMABLE)
    assert caught.value.code == 130
    assert caught.value.__suppress_context__
    assert capsys.readouterr() == ('', f'\n{RESUMABLE}\n')


def test_results_and_errors_are_left_alone(capsys):
    ran = []
    run_command(lambda: ran.append(1))
    assert ran == [1]
    with pytest.raises(ArithmeticError, match='zero'):
        run_command(lambda: 1 / 0)
    assert capsys.readouterr() == ('', '')
