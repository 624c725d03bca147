"""Test a model: ``python -m mmmix.test`` or ``tools/test.py``, CONFIG CHECKPOINT."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from mmdet.engine.hooks import DetVisualizationHook
from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmdet.registry import HOOKS
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config

from mmmix.apis.checkpoints.fit import load_strictly
from mmmix.apis.checkpoints.loading import install_safe_loading
from mmmix.apis.checkpoints.resume import existing_checkpoint
from mmmix.apis.cli import (
    add_mix_arguments,
    add_run_arguments,
    build_runner,
    check_complete,
    load_config,
    logged,
)
from mmmix.apis.configs.building_errors import told_with_key
from mmmix.apis.configs.tta import use_tta
from mmmix.apis.data_checks import check_data, check_epochs_end
from mmmix.apis.dataset_paths import check_dataset_paths
from mmmix.apis.launching.devices import leave_half_to_gpus
from mmmix.apis.launching.launch import check_launcher, launched, released
from mmmix.apis.plain_errors import plain_errors
from mmmix.apis.run_command import stoppable
from mmmix.apis.training_checks import check_mixing
from mmmix.engine.hooks import SharedResultsHook, StopHook
from mmmix.layouts.writing import check_writable
from mmmix.registry import class_of, is_classifier


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; the meanings are those of mmdet's ``tools/test.py``.

    Raises:
        SystemExit: If the arguments are wrong.
    """
    parser = argparse.ArgumentParser(
        description='Test a detector, or a classifier of mmpretrain, and print its '
        'metrics.'
    )
    parser.add_argument('config', help='path of a config, or mmmix::NAME.py')
    parser.add_argument('checkpoint', help='path or URL of a checkpoint')
    parser.add_argument(
        '--work-dir',
        help='where logs, metrics and pictures go (default: work_dir of the config, '
        'else work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--out', metavar='FILE.pkl', help='also save the predictions to this file'
    )
    parser.add_argument('--show', action='store_true', help='show the predictions')
    parser.add_argument(
        '--show-dir',
        help='save pictures of the predictions to <work dir>/<timestamp>/SHOW_DIR, in '
        'the folders of their images if there are several',
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds that --show shows an image (default: 2)',
    )
    add_mix_arguments(parser)
    parser.add_argument(
        '--tta',
        action='store_true',
        help='test with augmentation: tta_model and tta_pipeline of the config, or '
        'the image and its mirror image',
    )
    add_run_arguments(parser)
    args = parser.parse_args(argv)
    if args.out is not None and not args.out.endswith(('.pkl', '.pickle')):
        parser.error(f'--out expects a file that ends in .pkl or .pickle: {args.out}')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Test a detector, or a classifier.

    Args:
        argv: Arguments without the program's name; None takes ``sys.argv``.

    Raises:
        FileNotFoundError: If the config, data or the checkpoint is missing.
        OSError: If the working directory or ``--out`` cannot be written to.
        ValueError: If the checkpoint is unsafe, damaged or one of another model, the
            config contradicts itself, or torchrun's processes are not told of each
            other.
    """
    args = parse_args(argv)
    check_launcher(args.launcher)
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(args)
    check_complete(cfg, ('test_dataloader', 'test_cfg', 'test_evaluator'))
    check_writable([Path(cfg.work_dir, 'log')], '--work-dir')
    if args.out is not None:
        check_writable([Path(args.out)])
    apply_options(cfg, args)
    check_dataset_paths(cfg, ('test',))
    with (
        stoppable() as signals,
        launched(cfg),
        install_safe_loading(args.trust_checkpoint),
        told_with_key(cfg),
    ):
        runner = build_runner(cfg)
        runner.register_hook(SharedResultsHook())
        runner.register_hook(StopHook(signals))
        load_strictly(runner)
        if args.out is not None:
            runner.test_evaluator.metrics.append(DumpDetResults(args.out))
        log_dir = os.path.abspath(runner.log_dir)
        with (
            released(runner),
            logged(
                runner,
                done=lambda: f'Done. Metrics and log: {log_dir}',
                stopped=lambda stop: f'Stopped by {stop.signal.name}.',
            ),
        ):
            if not args.no_check:
                check_data(runner, ('test',))
            check_epochs_end(runner, ('test',))
            check_mixing(runner, training=False)
            runner.test()


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Carry the options of the command line over to the config.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
    """
    cfg.resume = False
    cfg.load_from = existing_checkpoint(args.checkpoint)
    leave_half_to_gpus(cfg)
    if args.show or args.show_dir:
        _show(cfg, args)
    if args.tta:
        use_tta(cfg)


def _show(cfg: Config, args: argparse.Namespace) -> None:
    """Have the predictions drawn, those of a detector by the config's own hook.

    Raises:
        ImportError: If mmpretrain is missing, with what to install.
    """
    hooks = dict(cfg.get('default_hooks') or {})
    if is_classifier(cfg):
        import_module('mmmix.classification')  # registers it
        settings = dict(show=args.show, wait_time=args.wait_time, out_dir=args.show_dir)
        hooks['visualization'] = dict(type='ClassPicturesHook', **settings)
        cfg.default_hooks = hooks
        return
    hooks.setdefault('visualization', dict(type='DetVisualizationHook'))
    cfg.default_hooks = hooks
    trigger_visualization_hook(cfg, args)
    hook = cfg.default_hooks.visualization
    if class_of(hook.type, HOOKS) is DetVisualizationHook:
        hook.type = 'DetectionPicturesHook'  # which replaces no picture


def run() -> None:
    """Run the command as a program, which says errors of ours in a line."""
    with plain_errors():
        main()


if __name__ == '__main__':
    run()
