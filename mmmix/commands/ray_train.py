"""Train a detector in workers of Ray Train, on whatever machines the cluster has.

  ray_train.py CONFIG --workers 16 --storage /shared/ray [arguments of train.py]

Each worker has a GPU, or with --cpu a CPU. A worker that is lost is replaced, and the
run goes on from its last checkpoint: --resume is always given, so the working directory
has to be on storage that all machines see.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def parse_args(argv: Sequence[str] | None = None) -> tuple[argparse.Namespace, list]:
    """Read the command line; what is not known here is for ``train.py``."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # what is not known here is for train.py
    )
    parser.add_argument('config')
    parser.add_argument(
        '--workers', type=int, default=1, help='processes (default: %(default)s)'
    )
    parser.add_argument('--cpu', action='store_true', help='workers without GPUs')
    parser.add_argument(
        '--cpus-per-worker', type=int, default=1, help='(default: %(default)s)'
    )
    parser.add_argument('--storage', type=Path, help="Ray's own files")
    parser.add_argument(
        '--max-failures',
        type=int,
        default=3,
        help='times that lost workers are replaced (default: %(default)s)',
    )
    parser.add_argument('--work-dir', type=Path, required=True)
    return parser.parse_known_args(argv)


def train_arguments(args: argparse.Namespace, others: Sequence[str]) -> list[str]:
    """The command line of ``train.py``, with paths that hold in any directory.

    Ray starts its workers in folders of their own.
    """
    config = args.config
    if '::' not in config:
        config = os.path.abspath(config)
    work_dir = str(args.work_dir.resolve())
    return [config, '--work-dir', work_dir, '--resume', *others]


def train_worker(settings: dict[str, Any]) -> None:
    """What each worker does; its process group is there already.

    Args:
        settings: With ``argv``, the command line of ``train.py``, and ``folder``, the
            current directory of whoever started this.
    """
    from mmmix.commands.train import main as train

    os.chdir(settings['folder'])
    train(settings['argv'])


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments without the program's name; None takes ``sys.argv``.

    Raises:
        ImportError: If Ray is not installed.
    """
    args, others = parse_args(argv)
    try:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
    except ImportError as error:
        raise ImportError("Ray is not installed: pip install 'ray[train]'") from error
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=dict(argv=train_arguments(args, others), folder=os.getcwd()),
        scaling_config=ScalingConfig(
            num_workers=args.workers,
            use_gpu=not args.cpu,
            resources_per_worker=dict(
                {'CPU': args.cpus_per_worker}, **({} if args.cpu else {'GPU': 1})
            ),
        ),
        run_config=RunConfig(
            name=args.work_dir.name,
            storage_path=str(args.storage.resolve()) if args.storage else None,
            failure_config=FailureConfig(max_failures=args.max_failures),
        ),
    )
    trainer.fit()
