"""What ``train`` and ``test`` share: arguments, the config, and how a run ends."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmdet.registry import RUNNERS
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from mmmix.apis.checkpoint import add_trust_argument
from mmmix.apis.config_path import PREFIX, config_path
from mmmix.apis.launch import LAUNCHERS


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that training and testing have in common."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change settings of the config, e.g. train_dataloader.batch_size=4 '
        'model.data_preprocessor.batch_augments.0.align=corner; a list is '
        'key="[a,b]" or key=a,b, nested ones key="[(a,b),(c,d)]", without spaces',
    )
    add_trust_argument(parser)
    parser.add_argument(
        '--no-check',
        action='store_true',
        help='do not look for faults in annotations, class names and images; load them '
        'as mmdet does',
    )
    parser.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='what started this process; tools/dist_*.sh and slurm_*.sh set it '
        '(default: none, a single process)',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by older versions of the PyTorch launcher',
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the arguments name, with their changes.

    ``mmmix::NAME`` is a config that comes with mmmix. The working directory is
    ``--work-dir``, else the config's, else ``work_dirs/<name of the config>``.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    path = args.config
    if path.startswith(PREFIX):
        path = config_path(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'no config at {os.path.abspath(path)}; give the path of a config, or '
            'mmmix::NAME.py for one that comes with mmmix'
        )
    cfg = Config.fromfile(path)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', Path(path).stem)
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build the Runner of a config, of its ``runner_type`` if it has one."""
    return Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


@contextmanager
def logged(
    runner: Runner, done: Callable[[], str], interrupted: Callable[[], str]
) -> Iterator[None]:
    """Close a run's log with how the run ended.

    Args:
        runner: Its log takes the traceback of an exception too, which would
            otherwise be on the screen alone.
        done: Gives the last line of a run that came to its end.
        interrupted: Gives the last line of a run that Ctrl-C stopped.

    Raises:
        SystemExit: With code 130, after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        runner.logger.warning(interrupted())
        raise SystemExit(130) from None
    except Exception:
        _log_to_file(runner.logger, traceback.format_exc())
        raise
    runner.logger.info(done())


def _log_to_file(logger: logging.Logger, text: str) -> None:
    """Write to the log's files only; the interpreter prints the rest."""
    record = logger.makeRecord(
        logger.name, logging.ERROR, __file__, 0, f'stopped by\n{text}', (), None
    )
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


def program(launcher: str = 'none') -> str:
    """How this process was started, to be typed again before the arguments."""
    spec = getattr(sys.modules['__main__'], '__spec__', None)
    module = f'-m {spec.name}' if spec else shlex.quote(sys.argv[0])
    if launcher != 'pytorch':
        return f'python {module}'
    processes = os.environ.get('LOCAL_WORLD_SIZE', '1')
    return f'python -m torch.distributed.run --nproc_per_node={processes} {module}'
