"""What the options of ``train`` make of a config."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from typing import Any

from mmdet.registry import HOOKS, OPTIM_WRAPPERS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import CheckpointLoader

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.checkpoints.resume import (
    check_resumable,
    existing_checkpoint,
    last_checkpoint,
    newest_checkpoint,
    refuse_earlier,
)
from mmmix.apis.launching.agreement import (
    any_process,
    check_seen_by_all,
    decided_by_first,
)
from mmmix.apis.launching.devices import leave_half_to_gpus
from mmmix.apis.launching.elastic import OPTION, keep_images_per_step
from mmmix.apis.launching.requeue import was_restarted
from mmmix.engine.described_mixers import MIXERS, described_mixers
from mmmix.registry import class_of, is_a, is_classifier


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Carry the options of the command line over to the config.

    Raises:
        KeyError: If ``optim_wrapper`` or ``auto_scale_lr.base_batch_size`` is needed
            and missing.
        ValueError: If ``--amp`` is given without a GPU, or beside an own optimizer
            wrapper; or if the last checkpoint is damaged.
        FileNotFoundError: If the checkpoint to resume from does not exist.
    """
    leave_half_to_gpus(cfg)
    if args.no_pretrained:
        drop_pretrained(cfg)
    if args.amp:
        _use_amp(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise KeyError(
                '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the '
                'config: the batch size that the learning rate is meant for'
            )
        cfg.auto_scale_lr.enable = True
    _count_accumulated(cfg)
    given = {'seed': args.seed, 'deterministic': args.deterministic or None}
    given = {key: value for key, value in given.items() if value is not None}
    if given:
        cfg.randomness = {'seed': None, **(cfg.get('randomness') or {}), **given}
    start = cfg.get('load_from')
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    _resume_if_restarted(cfg)
    if cfg.get('resume'):
        _find_resumed(cfg, start)


def save_whole_checkpoints(cfg: Config) -> None:
    """Have ``WholeCheckpointHook`` in the place of mmengine's ``CheckpointHook``.

    Its settings stay, and so does another class of hook.
    """
    hooks = cfg.setdefault('default_hooks', {}) or {}
    # mmengine's own default; None would mean that there is no such hook.
    hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    for hook in (hooks['checkpoint'], *(cfg.get('custom_hooks') or ())):
        kind = hook.get('type') if isinstance(hook, dict) else None
        if class_of(kind, HOOKS) is CheckpointHook:
            # with its scope: the config may be of another project, mmpretrain for one
            hook['type'] = 'mmdet.WholeCheckpointHook'
    cfg.default_hooks = hooks


def keep_course(cfg: Config, scale_batch: bool = False) -> None:
    """Let a resumed run keep its seed and the images of a step; warn of another mix.

    The seed is the checkpoint's, if the config has none. mmengine takes it after the
    data loaders were built, too late for samplers. For the images see
    :func:`mmmix.apis.launching.elastic.keep_images_per_step`.

    Args:
        cfg: The run's config.
        scale_batch: Whether the batch of a process may be changed.

    Raises:
        ValueError: If the checkpoint has no state of an optimizer to go on with, or a
            step would have another number of images.
    """
    if not cfg.get('resume'):
        if scale_batch:
            print_log(
                f'{OPTION} changes nothing here: it keeps the images of a step of a '
                'run that goes on (--resume), and this one begins.'
            )
        return
    checkpoint = CheckpointLoader.load_checkpoint(cfg.load_from, map_location='cpu')
    check_resumable(checkpoint, cfg.load_from)
    keep_images_per_step(cfg, checkpoint.get('meta', {}), scale_batch)
    _warn_of_other_mixers(cfg, checkpoint.get('meta', {}))
    randomness = cfg.get('randomness') or {}
    if randomness.get('seed') is not None:
        return
    seed = checkpoint.get('meta', {}).get('seed')
    if seed is not None:
        cfg.randomness = dict(randomness, seed=seed)


def _warn_of_other_mixers(cfg: Config, meta: Mapping[str, Any]) -> None:
    """Say so where a run goes on with another method than it began with.

    A checkpoint that does not tell, as older versions wrote it, is taken as it is.
    """
    before, now = meta.get(MIXERS), described_mixers(cfg)
    if not isinstance(before, list) or before == now:
        return
    began, goes_on = (', '.join(map(str, m)) or 'no mixer' for m in (before, now))
    # --mix is for detectors.
    keep = 'give --mix and --mix-options'
    if is_classifier(cfg):
        keep = 'take the config and --cfg-options'
    print_log(
        f'The checkpoint is of a run with {began}, which goes on with {goes_on}: its '
        f'results are of neither. To keep the method, {keep} as before; for a run of '
        'its own, leave --resume out and set another --work-dir',
        level=logging.WARNING,
    )


def _use_amp(cfg: Config) -> None:
    """Wrap the optimizer for mixed precision."""
    if get_device() == 'cpu':
        raise ValueError('--amp needs a GPU, and none is available; leave it out')
    if cfg.get('optim_wrapper') is None:
        raise KeyError('--amp needs optim_wrapper=dict(...) in the config')
    guards = ('SkipNonFiniteOptimWrapper', 'SkipNonFiniteAmpOptimWrapper')
    given = cfg.optim_wrapper.get('type', OptimWrapper)
    if any(is_a(cfg.optim_wrapper, kind, OPTIM_WRAPPERS) for kind in guards):
        cfg.optim_wrapper.type = guards[1]
    elif class_of(given, OPTIM_WRAPPERS) is OptimWrapper:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
    elif not is_a(cfg.optim_wrapper, AmpOptimWrapper, OPTIM_WRAPPERS):
        raise ValueError(
            f'--amp would put AmpOptimWrapper in the place of {given}, and what that '
            'does would be lost: leave --amp out, or name a wrapper of yours with '
            'mixed precision in optim_wrapper.type'
        )
    cfg.optim_wrapper.loss_scale = 'dynamic'


def _count_accumulated(cfg: Config) -> None:
    """Let accumulated gradients count where the learning rate is scaled.

    mmengine compares the images of one pass with ``base_batch_size``, however many
    passes make a step.
    """
    scaling = cfg.get('auto_scale_lr') or {}
    passes = (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    if scaling.get('enable') and passes > 1 and scaling.get('base_batch_size'):
        cfg.auto_scale_lr.base_batch_size = scaling['base_batch_size'] / passes
        print_log(
            f'A step adds up {passes} batches (optim_wrapper.accumulative_counts): the '
            'learning rate is scaled for the images of all of them.'
        )


def _resume_if_restarted(cfg: Config) -> None:
    """Go on from the last checkpoint in a job that was started anew.

    A machine that came back to the others knows nothing of a restart, so it is enough
    that one process does.
    """
    if not any_process(was_restarted(cfg.work_dir)):
        return
    last = decided_by_first(lambda: last_checkpoint(cfg.work_dir))
    if last is not None:
        print_log(f'The job was started anew: it goes on from {last}.')
        cfg.resume, cfg.load_from = True, None


def _find_resumed(cfg: Config, start: str | None) -> None:
    """Name the checkpoint to continue from, or begin with ``start`` without one.

    The first process looks for it, so that all take the same.
    """
    given = cfg.get('load_from')

    def find() -> tuple[str | None, str]:
        if given is not None:
            return existing_checkpoint(given), ''
        path, remark = newest_checkpoint(cfg.work_dir)
        if path is None:
            refuse_earlier(cfg.work_dir)
        return path, remark

    path, remark = decided_by_first(find)
    if remark:
        print_log(remark, level=logging.WARNING)
    cfg.load_from = path
    if path is not None:
        check_seen_by_all(path)
        return
    cfg.resume, cfg.load_from = False, start
    begin = start or 'scratch'
    print_log(f'No checkpoint in {cfg.work_dir}: training starts from {begin}.')
