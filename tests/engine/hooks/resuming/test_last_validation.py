"""A validation that a kill cut off, after a resume."""

from __future__ import annotations

import pytest

from mmmix.engine import WholeCheckpointHook
from tests.engine.hooks.resuming.scripted_runs import files, run


def test_a_validation_that_was_cut_off_is_made_again(tmp_path, monkeypatch):
    run(tmp_path / 'whole')
    folder = tmp_path / 'run'

    def cut(hook, runner, metrics):
        if runner.iter == 4:
            raise ArithmeticError
        return stock(hook, runner, metrics)

    stock = WholeCheckpointHook.after_val_epoch
    monkeypatch.setattr(WholeCheckpointHook, 'after_val_epoch', cut)
    with pytest.raises(ArithmeticError):
        run(folder)
    monkeypatch.undo()
    assert (folder / 'last_validation').read_text() == '2'
    last = str(folder / 'iter_4.pth')
    # Scores of the validations after 4, 6 and 8 iterations.
    runner = run(folder, up=(3, 2, 4), load_from=last, resume=True)
    assert runner.val_evaluator.metrics[0].scores == []
    assert files(folder) == files(tmp_path / 'whole')
    # One that came to its end is not: two scores are enough.
    run(folder, up=(), load_from=str(folder / 'iter_8.pth'), resume=True)


@pytest.mark.parametrize('begin', [0, 2])
def test_a_longer_run_before_in_the_folder_hides_no_cut_off_validation(
    begin, tmp_path, monkeypatch
):
    run(tmp_path, checkpoint=dict(max_keep_ckpts=-1))
    start = dict(load_from=str(tmp_path / 'iter_2.pth'), resume=True) if begin else {}

    def cut(hook, runner, metrics):
        raise ArithmeticError

    monkeypatch.setattr(WholeCheckpointHook, 'after_val_epoch', cut)
    with pytest.raises(ArithmeticError):
        run(tmp_path, **start)
    monkeypatch.undo()
    last = str(tmp_path / f'iter_{begin + 2}.pth')
    # The validation that was cut off, and those that follow.
    scores = (5,) * ((8 - begin) // 2)
    runner = run(tmp_path, up=scores, load_from=last, resume=True)
    assert runner.val_evaluator.metrics[0].scores == []
