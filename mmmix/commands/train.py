"""Train a detector: ``python -m mmmix.train CONFIG`` or ``tools/train.py CONFIG``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, Runner

from mmmix.apis.checkpoint import install_safe_loading
from mmmix.apis.checks import check_mixing
from mmmix.apis.cli import (
    add_run_arguments,
    build_runner,
    load_config,
    logged,
    program,
)
from mmmix.apis.data_checks import check_data, check_epochs_end
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.launch import launched
from mmmix.apis.pretrained import drop_pretrained
from mmmix.apis.resume import existing_checkpoint, last_checkpoint


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; the meanings are those of mmdet's ``tools/train.py``."""
    parser = argparse.ArgumentParser(
        prog='train.py',
        description='Train a detector. Checkpoints and logs go to the working '
        'directory.',
    )
    parser.add_argument('config', help='path of a config, or mmmix::NAME.py')
    parser.add_argument(
        '--work-dir',
        help='where checkpoints and logs go (default: work_dir of the config, else '
        'work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue a run from this checkpoint, or without one from the last of '
        'the working directory',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision, on a GPU'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by batch size / auto_scale_lr.base_batch_size',
    )
    parser.add_argument('--seed', type=int, help='seed of all random numbers')
    parser.add_argument(
        '--deterministic',
        action='store_true',
        help='use deterministic algorithms only; slower',
    )
    parser.add_argument(
        '--no-pretrained',
        action='store_true',
        help='start from random weights: drop every init_cfg of type Pretrained, '
        'every key `pretrained`, and load_from',
    )
    add_run_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train a detector.

    Args:
        argv: Arguments without the program's name; None takes ``sys.argv``.

    Raises:
        FileNotFoundError: If the config, data or a checkpoint is missing.
        ValueError: If a checkpoint is unsafe or damaged, or the config
            contradicts itself.
        KeyError: If an option needs what the config does not have.
        ConnectionError: If pretrained weights cannot be downloaded.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    args = parse_args(argv)
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(args)
    apply_options(cfg, args)
    check_dataset_paths(cfg, ('train', 'val'))
    with launched(cfg), install_safe_loading(args.trust_checkpoint):
        keep_seed(cfg)
        runner = build_runner(cfg)
        with logged(
            runner,
            done=lambda: _where(runner),
            interrupted=lambda: _interrupted(args, argv, runner.work_dir),
        ):
            if not args.no_check:
                check_data(runner, ('train', 'val'))
            check_epochs_end(runner, ('train', 'val'))
            check_mixing(runner)
            runner.train()


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Carry the options of the command line over to the config.

    Raises:
        KeyError: If ``optim_wrapper`` or ``auto_scale_lr.base_batch_size`` is needed
            and missing.
        ValueError: If ``--amp`` is given without a GPU, or the last checkpoint is
            damaged.
        FileNotFoundError: If the checkpoint to resume from does not exist.
    """
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
    if args.seed is not None or args.deterministic:
        cfg.randomness = dict({'seed': None}, **cfg.get('randomness', {}))
        cfg.randomness.update(_randomness(args))
    start = cfg.get('load_from')
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if cfg.get('resume'):
        _find_resumed(cfg, start)


def keep_seed(cfg: Config) -> None:
    """Give a resumed run the seed of its checkpoint, if the config has none.

    mmengine does so after the data loaders were built, too late for samplers.
    """
    randomness = cfg.get('randomness') or {}
    if not cfg.get('resume') or randomness.get('seed') is not None:
        return
    checkpoint = CheckpointLoader.load_checkpoint(cfg.load_from, map_location='cpu')
    seed = checkpoint.get('meta', {}).get('seed')
    if seed is not None:
        cfg.randomness = dict(randomness, seed=seed)


def _use_amp(cfg: Config) -> None:
    """Wrap the optimizer for mixed precision."""
    if get_device() == 'cpu':
        raise ValueError('--amp needs a GPU, and none is available; leave it out')
    if cfg.get('optim_wrapper') is None:
        raise KeyError('--amp needs optim_wrapper=dict(...) in the config')
    guarded = cfg.optim_wrapper.get('type') == 'SkipNonFiniteOptimWrapper'
    cfg.optim_wrapper.type = (
        'SkipNonFiniteAmpOptimWrapper' if guarded else 'AmpOptimWrapper'
    )
    cfg.optim_wrapper.loss_scale = 'dynamic'


def _randomness(args: argparse.Namespace) -> dict[str, Any]:
    """What the options say of ``randomness``."""
    given = {} if args.seed is None else {'seed': args.seed}
    return dict(given, deterministic=True) if args.deterministic else given


def _find_resumed(cfg: Config, start: str | None) -> None:
    """Name the checkpoint to continue from, or begin with ``start`` without one."""
    if cfg.get('load_from') is not None:
        cfg.load_from = existing_checkpoint(cfg.load_from)
        return
    cfg.load_from = last_checkpoint(cfg.work_dir)
    if cfg.load_from is None:
        cfg.resume, cfg.load_from = False, start
        begin = start or 'scratch'
        print_log(f'No checkpoint in {cfg.work_dir}: training starts from {begin}.')


def _where(runner: Runner) -> str:
    """Where a finished run has left its checkpoints and its log."""
    folders = [h.out_dir for h in runner.hooks if isinstance(h, CheckpointHook)]
    return (
        f'Done. Checkpoints: {os.path.abspath((folders or [runner.work_dir])[0])}. '
        f'Log: {os.path.abspath(runner.log_dir)}'
    )


def _interrupted(args: argparse.Namespace, argv: Sequence[str], work_dir: str) -> str:
    """What to do after Ctrl-C."""
    saved = os.path.isfile(os.path.join(work_dir, 'last_checkpoint'))
    state = '' if saved else 'no checkpoint was saved yet, so from the beginning; '
    return f'Interrupted. To continue: {state}{resume_command(args, argv)}'


def resume_command(args: argparse.Namespace, argv: Sequence[str]) -> str:
    """The command that continues a run.

    Args:
        args: The parsed arguments.
        argv: The arguments as they were given.
    """
    words, before = [], ''
    for word in argv:
        dropped = '--resume' in (before, word) and word in ('--resume', args.resume)
        if not dropped and not word.startswith(('--resume=', '--local')):
            words.append(word)
        before = word
    return f'{program(args.launcher)} {shlex.join([*words, "--resume"])}'


if __name__ == '__main__':
    main()
