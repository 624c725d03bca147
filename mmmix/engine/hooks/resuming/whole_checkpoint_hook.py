"""Checkpoints that a kill at any moment leaves whole."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmmix.engine.earlier_checkpoints import POINTER, note_own
from mmmix.engine.hooks.teachers.domain_teacher_hook import CURRENT
from mmmix.engine.hooks.teachers.unstarted_teacher import teacher_predicts
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.engine.whole_files import NO_ROOM, NoRoomError, write_whole

from .last_validation import (
    EPOCH_DONE,
    forget_later_validations,
    note_validation,
    was_cut_off,
)

OUTDATED = 'outdated_ckpts'
"""Key of ``message_hub``: names of the checkpoints that go when this one is saved."""
STOPPED = 'stopped_ckpt'
"""Key of ``message_hub``: the checkpoint of a stop in the middle of an epoch."""


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """``CheckpointHook`` that never leaves a run without a whole checkpoint.

    mmengine's writes files in place, and deletes old ones first: a kill can leave a
    broken file, or none. Here a checkpoint, the best one and ``last_checkpoint`` are
    each replaced in one step, and an old file is deleted when all that follows it is
    on the disk. What a kill left to be deleted is deleted after a resume. On a full
    disk the oldest file goes first, if it is not the last one; else the run ends, and
    all its checkpoints stay.

    A validation that a kill cut off is made again when the run is resumed, before
    the training goes on, so that its best checkpoint is not missed.

    Files that go elsewhere than to a local folder (``s3://``, or ``backend_args`` of
    your own) are written by their backend.

    Args:
        args, kwargs: As for mmengine's ``CheckpointHook``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved_iter: int | None = None
        self._outdated: list[str] = []  # names of files
        self._best_before: list[str | None] = []

    def before_train(self, runner: Runner) -> None:
        """Choose the way of writing; after a resume, end what a kill cut off."""
        own = self.backend_args is not None or self.file_client_args is not None
        if not own and '://' not in str(self.out_dir or ''):
            self.backend_args = dict(backend='whole')
        super().before_train(runner)
        if is_main_process():
            forget_later_validations(runner)
        if runner.iter == 0:
            return
        hub = runner.message_hub
        self.saved_iter = runner.iter
        self.last_ckpt = hub.get_info('last_ckpt')
        self._outdated = list(hub.get_info(OUTDATED) or ())
        self._remove_outdated(runner)
        if was_cut_off(runner):
            runner.logger.info(
                f'The validation after iteration {runner.iter} did not come to its '
                'end; it is made again'
            )
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best checkpoint, then note that the validation is over."""
        super().after_val_epoch(runner, metrics)
        if runner.iter and is_main_process():
            note_validation(runner)

    def save_now(self, runner: Runner, done: int, epoch: int) -> None:
        """Save a checkpoint, if there is none of this moment, to stop after it.

        Args:
            runner: The runner of the training.
            done: Number of iterations that are behind it.
            epoch: Number of whole epochs that are behind it.
        """
        if self.saved_iter == done:
            return
        meta = dict(epoch=epoch, iter=done)
        by_epochs = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if not self.by_epoch:
            self._save_checkpoint_with_step(runner, done, meta)
        elif by_epochs and not _epoch_done(runner, meta)[0]:
            self._save_checkpoint_with_step(runner, epoch, meta)
        else:  # In the middle of an epoch; the next checkpoint replaces it.
            self._outdate_stop(runner)
            runner.message_hub.update_info(STOPPED, f'iter_{done}.pth')
            self._write(runner, f'iter_{done}.pth', meta)

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        """Save first, delete later."""
        self._outdate_stop(runner)
        if self.max_keep_ckpts > 0:
            steps = [*(s for s in self.keep_ckpt_ids if s != step), step]
            outdated = steps[: -self.max_keep_ckpts]
            self._outdated += map(self.filename_tmpl.format, outdated)
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(steps[-self.max_keep_ckpts :])
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        self._write(runner, self.filename_tmpl.format(step), meta)

    def _outdate_stop(self, runner: Runner) -> None:
        """A checkpoint of a stop in an epoch goes with the one that is saved now."""
        if runner.message_hub.get_info(STOPPED):
            self._outdated.append(runner.message_hub.get_info(STOPPED))
            runner.message_hub.update_info(STOPPED, '')

    def _write(self, runner: Runner, name: str, meta: dict[str, Any]) -> None:
        """Write a checkpoint and the pointer to it, then delete the outdated ones."""
        previous, hub = self.last_ckpt, runner.message_hub
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        hub.update_info('last_ckpt', self.last_ckpt)
        hub.update_info(OUTDATED, self._removable())
        hub.update_info(EPOCH_DONE, _epoch_done(runner, meta))
        with _no_room_explained(self.last_ckpt, previous):
            try:
                self._save(runner, name, meta)
            except OSError as error:
                if error.errno not in NO_ROOM or not self._make_room(previous):
                    raise
                self._save(runner, name, meta)
        self.saved_iter = meta['iter']
        if is_main_process():
            note_own(runner.work_dir, name)
            path = Path(runner.work_dir) / POINTER
            write_whole(path, self.last_ckpt.encode())
        self._remove_outdated(runner)

    def _save(self, runner: Runner, name: str, meta: dict[str, Any]) -> None:
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best checkpoint; the one before it stays until that is done."""
        if not self.save_best or self._waits_for_teacher(runner, metrics):
            return
        self._best_before = before = self._best
        self._best = [None] * len(before)  # mmengine would delete them first
        self._outdated += [osp.basename(path) for path in before if path]
        try:
            with _no_room_explained('the best checkpoint', self.last_ckpt):
                self._save_best_with_room(runner, metrics)
        finally:
            self._best = self._best_or_before()
            self._best_before = []
        for path in filter(None, self._best if is_main_process() else ()):
            note_own(runner.work_dir, osp.basename(path))
        self._remove_outdated(runner)

    def _waits_for_teacher(self, runner: Runner, metrics: dict[str, float]) -> bool:
        """Whether a teacher is judged that is no more than its initial weights.

        mmengine takes the first metric for ``auto``; those without the name of a model
        are of the one that predicts.
        """
        model = unwrapped_model(runner)
        if runner.iter >= getattr(getattr(model, 'progress', None), 'burn_in', 0):
            return False
        keys = [next(iter(metrics)) if k == 'auto' else k for k in self.key_indicators]
        models = {str(key).partition('/')[0] for key in keys}
        unnamed = models - {'teacher', 'student', CURRENT}
        return 'teacher' in models or bool(unnamed and teacher_predicts(model))

    def _save_best_with_room(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best checkpoint; on a full disk the one before it goes first.

        That is safe where a resume would make this validation again.
        """
        info = runner.message_hub.runtime_info
        known = {key: info[key] for key in info if key.startswith('best_')}
        try:
            super()._save_best_checkpoint(runner, metrics)
        except OSError as error:
            again = self.saved_iter == runner.iter and error.errno in NO_ROOM
            if isinstance(error, NoRoomError) or not again:
                raise
            if not self._make_room(self.last_ckpt):
                raise
            for key in [key for key in info if key.startswith('best_')]:
                del info[key]
            info.update(known)
            self._best = [None] * len(self._best_before)
            super()._save_best_checkpoint(runner, metrics)

    @property
    def _best(self) -> list[str | None]:
        """The best checkpoint of each metric, where there is one."""
        if len(self.key_indicators) > 1:
            return [self.best_ckpt_path_dict[key] for key in self.key_indicators]
        return [self.best_ckpt_path]

    @_best.setter
    def _best(self, paths: list[str | None]) -> None:
        if len(self.key_indicators) > 1:
            self.best_ckpt_path_dict = dict(zip(self.key_indicators, paths))
        else:
            (self.best_ckpt_path,) = paths

    def _best_or_before(self) -> list[str | None]:
        """The best checkpoints; until a new one is saved, those before it."""
        pairs = zip_longest(self._best, self._best_before)
        return [best or before for best, before in pairs]

    def _removable(self) -> list[str]:
        """Names of outdated checkpoints, without those that are in use again."""
        used = [self.last_ckpt, *(self._best_or_before() if self.save_best else ())]
        names = {osp.basename(path) for path in used if path}
        return [name for name in dict.fromkeys(self._outdated) if name not in names]

    def _remove_outdated(self, runner: Runner) -> None:
        """Delete outdated checkpoints."""
        if is_main_process():
            for name in self._removable():
                self._remove(name)
        self._outdated = []
        runner.message_hub.update_info(OUTDATED, [])

    def _remove(self, name: str) -> bool:
        """Delete a file of the output folder; whether there was one."""
        path = self.file_backend.join_path(self.out_dir, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # of deepspeed
            self.file_backend.rmtree(path)
        else:
            return False
        return True

    def _make_room(self, last: str | None) -> bool:
        """Delete outdated checkpoints before their time, but never the last one."""
        names = [name for name in self._removable() if name != osp.basename(last or '')]
        return sum(self._remove(name) for name in names) > 0


@contextmanager
def _no_room_explained(what: str, last: str | None) -> Iterator[None]:
    """Say of a full disk what is left, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM or isinstance(error, NoRoomError):
            raise
        state = f'the last checkpoint, {last}, is whole' if last else 'none was saved'
        raise NoRoomError(
            error.errno,
            f'no room for {what}; {state}. Make room and go on with --resume; '
            'default_hooks.checkpoint.max_keep_ckpts limits how many are kept',
        ) from error


def _epoch_done(runner: Runner, meta: dict[str, Any]) -> list[int]:
    """Batches of the present epoch behind a checkpoint, and of the whole epoch."""
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        return [0, 0]
    length = runner.max_iters // runner.max_epochs
    return [meta['iter'] - meta['epoch'] * length, length]
