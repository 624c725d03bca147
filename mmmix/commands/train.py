"""Train a model: ``python -m mmmix.train CONFIG`` or ``tools/train.py CONFIG``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmmix.apis.arguments import SEED
from mmmix.apis.checkpoints.fit import load_strictly
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.apis.checkpoints.resume import begin_run
from mmmix.apis.cli import (
    TRAINING,
    add_mix_arguments,
    add_run_arguments,
    build_runner,
    check_complete,
    load_config,
    logged,
    program,
)
from mmmix.apis.configs.building_errors import told_with_key
from mmmix.apis.configs.compiling import leave_samples_alone
from mmmix.apis.configs.recomputing import whole_gradients
from mmmix.apis.configs.train_options import (
    apply_options,
    keep_course,
    save_whole_checkpoints,
)
from mmmix.apis.data_checks import check_data
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.launching.folder_lock import lock_folder
from mmmix.apis.launching.launch import (
    check_launcher,
    given_command,
    launch_rank,
    launched,
    released,
)
from mmmix.apis.launching.requeue import may_be_restarted, requeued
from mmmix.apis.plain_errors import plain_errors
from mmmix.apis.run_command import stoppable
from mmmix.apis.tracking import add_track_argument, track
from mmmix.apis.training_checks import check_training
from mmmix.engine.earlier_checkpoints import POINTER, kept_if_refused
from mmmix.engine.hooks import (
    EpochRestHook,
    ImagesPerStepHook,
    MixersHook,
    ResumedSettingsHook,
    SharedResultsHook,
    StopHook,
)
from mmmix.engine.stop_signals import Stopped
from mmmix.engine.whole_files import remove_drafts


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; the meanings are those of mmdet's ``tools/train.py``."""
    parser = argparse.ArgumentParser(
        description='Train a detector, or a classifier of mmpretrain. Checkpoints and '
        'logs go to the working directory.',
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
    parser.add_argument(
        '--auto-scale-batch',
        action='store_true',
        help='with --resume on another number of GPUs: change the batch of each, so '
        'that a step has as many images as before',
    )
    parser.add_argument('--seed', type=SEED, help='seed of all random numbers')
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
    add_track_argument(parser)
    add_mix_arguments(parser)
    add_run_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train a detector, or a classifier.

    Args:
        argv: Arguments without the program's name; None takes ``sys.argv``.

    Raises:
        FileNotFoundError: If the config, data or a checkpoint is missing.
        ValueError: If a checkpoint is unsafe or damaged, the config contradicts
            itself, or torchrun's processes are not told of each other.
        KeyError: If an option needs what the config does not have.
        ModuleNotFoundError: If the package of ``--track`` is not installed.
        ConnectionError: If pretrained weights cannot be downloaded.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    args = parse_args(argv)
    setup_cache_size_limit_of_dynamo()
    with stoppable() as signals, requeued():
        check_launcher(args.launcher)
        cfg = load_config(args)
        check_complete(cfg, TRAINING)
        if args.track is not None:
            track(cfg, args.track)
        check_dataset_paths(cfg, ('train', 'val'))
        with (
            _held_folder(cfg),
            launched(cfg),
            install_safe_loading(args.trust_checkpoint),
            whole_gradients(),
            told_with_key(cfg),
        ):
            apply_options(cfg, args)
            keep_course(cfg, args.auto_scale_batch)
            save_whole_checkpoints(cfg)
            with ExitStack() as start:
                if not launch_rank(cfg.launcher) and not may_be_restarted():
                    start.enter_context(kept_if_refused(cfg.work_dir))
                runner = _begun(cfg)
                runner.register_hook(StopHook(signals))
                with (
                    released(runner),
                    logged(
                        runner,
                        done=lambda: _where(runner),
                        stopped=lambda stop: _stopped(stop, args, argv, runner),
                    ),
                ):
                    if not args.no_check:
                        check_data(runner, ('train', 'val'))
                    check_training(runner)
                    leave_samples_alone(runner)
                    start.close()
                    runner.train()


@contextmanager
def _held_folder(cfg: Config) -> Iterator[None]:
    """Let the first process of a run hold its working directory, and tidy it up."""
    if launch_rank(cfg.launcher):
        yield
        return
    with lock_folder(cfg.work_dir):
        remove_drafts(cfg.work_dir)
        yield


def _begun(cfg: Config) -> Runner:
    """The runner; the folder's checkpoints that are none of its run's are noted.

    A run that begins anew notes them first: whenever it is ended, and started again by
    Slurm or torchrun, it is not to go on from them. Where neither may do so, a start
    that is refused leaves the notes as they were.
    """
    first = not launch_rank(cfg.launcher)
    if first and not cfg.get('resume'):
        begin_run(cfg.work_dir, None)
    runner = build_runner(cfg)
    if cfg.get('resume'):
        load_strictly(runner)
        if first:
            begin_run(cfg.work_dir, cfg.load_from)
    for hook in (
        EpochRestHook(),
        ImagesPerStepHook(),
        MixersHook(),
        ResumedSettingsHook(),
        SharedResultsHook(),
    ):
        runner.register_hook(hook)
    return runner


def _where(runner: Runner) -> str:
    """Where a finished run has left its checkpoints and its log."""
    folders = [h.out_dir for h in runner.hooks if isinstance(h, CheckpointHook)]
    return (
        f'Done. Checkpoints: {os.path.abspath((folders or [runner.work_dir])[0])}. '
        f'Log: {os.path.abspath(runner.log_dir)}'
    )


def _stopped(
    stop: Stopped, args: argparse.Namespace, argv: Sequence[str], runner: Runner
) -> str:
    """What a signal left, and what to do after it."""
    pointer = Path(runner.work_dir, POINTER)
    if pointer.is_file():
        state = f'the last checkpoint is {pointer.read_text().strip()}. To continue'
        command = resume_command(args, argv)
    else:
        state = 'no checkpoint was saved yet. To start again'
        command = _command(args, given_command() or argv)
    done = runner.iter if stop.done is None else stop.done
    return f'Stopped by {stop.signal.name} after iteration {done}; {state}: {command}'


def resume_command(args: argparse.Namespace, argv: Sequence[str]) -> str:
    """The command that continues a run: the one that was given, with ``--resume``.

    Args:
        args: The parsed arguments.
        argv: The arguments as they were given.
    """
    words, before = [], ''
    for word in given_command() or argv:
        dropped = '--resume' in (before, word) and word in ('--resume', args.resume)
        if not dropped and not word.startswith(('--resume=', '--local')):
            words.append(word)
        before = word
    return _command(args, [*words, '--resume'])


def _command(args: argparse.Namespace, words: Sequence[str]) -> str:
    """A command line of these words, with the program if they are arguments alone."""
    start = '' if given_command() else f'{program(args.launcher)} '
    return f'{start}{shlex.join(words)}'


def run() -> None:
    """Run the command as a program, which says errors of ours in a line."""
    with plain_errors():
        main()


if __name__ == '__main__':
    run()
