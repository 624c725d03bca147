"""The last validation of a run, which a kill may cut off."""

from __future__ import annotations

from pathlib import Path

from mmengine.dist import broadcast_object_list
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from mmmix.engine.whole_files import write_whole

VALIDATED = 'last_validation'
"""The file that has the iteration after which the last validation came to its end."""
EPOCH_DONE = 'epoch_batches_done'
"""Key of ``message_hub``: batches of its epoch behind a checkpoint, of how many."""


def note_validation(runner: Runner) -> None:
    """Note in the working directory that a validation came to its end."""
    path = Path(runner.work_dir) / VALIDATED
    write_whole(path, str(runner.iter).encode())


def was_cut_off(runner: Runner) -> bool:
    """Whether the validation before the next iteration is due and was not ended.

    All processes have to ask, and find the same.
    """
    if not _is_due(runner):
        return False
    found = [_noted(runner)]
    broadcast_object_list(found)
    return found[0] < runner.iter


def forget_later_validations(runner: Runner) -> None:
    """Take back a note that a run which came further left in the working directory.

    By it, the next validation would pass for one that came to its end.
    """
    path = Path(runner.work_dir) / VALIDATED
    if runner.iter == 0:
        path.unlink(missing_ok=True)
    elif _noted(runner) > runner.iter:
        note_validation(runner)


def _is_due(runner: Runner) -> bool:
    """Whether the loop validates between the last iteration and the next one."""
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if isinstance(loop, IterBasedTrainLoop):
        done, end = loop.iter, loop.max_iters
    elif isinstance(loop, EpochBasedTrainLoop):
        done, end = loop.epoch, loop.max_epochs
        if (runner.message_hub.get_info(EPOCH_DONE) or [0])[0]:
            return False
    else:
        return False
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == end)


def _noted(runner: Runner) -> int:
    """After which iteration the working directory's last validation ended; or 0."""
    path = Path(runner.work_dir) / VALIDATED
    text = path.read_text().strip() if path.is_file() else ''
    return int(text) if text.isdecimal() else 0
