"""What ``train`` and ``test`` share: arguments, the Runner, and how a run ends."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mmdet.registry import RUNNERS
from mmengine.config import Config
from mmengine.runner import Runner

from mmmix.apis.arguments import Options
from mmmix.apis.checkpoints.loading import add_trust_argument
from mmmix.apis.configs.config_reading import read_config
from mmmix.apis.launching.launch import LAUNCHERS
from mmmix.engine.stop_signals import Stopped
from mmmix.engine.whole_files import NO_ROOM

TRAINING = ('train_dataloader', 'train_cfg', 'optim_wrapper')
"""Keys of a config without which nothing is trained."""


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that training and testing have in common."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change settings of the config, e.g. train_dataloader.batch_size=4 '
        'model.data_preprocessor.batch_augments.0.align=corner; a list is '
        'key="[a,b]" or key=a,b, nested ones key="[(a,b),(c,d)]"; what has spaces is '
        'put into quotes',
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


def add_mix_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that put a method into a config."""
    parser.add_argument(
        '--mix',
        metavar='NAME',
        help='mix as this method does, in any config of a detector that does not mix '
        'yet: boxmix, lossmix, union, ...; stock heads become mix-aware, any other '
        'detector is wrapped. Classifiers have configs that mix',
    )
    parser.add_argument(
        '--mix-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='change settings of --mix, e.g. ratio.alpha=0.2 prob=0.5',
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the arguments of a run name; see :func:`read_config`."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return read_config(
        args.config,
        args.cfg_options,
        args.mix,
        args.mix_options,
        trust=args.trust_checkpoint,
        launcher=args.launcher,
        work_dir=args.work_dir,
    )


def check_complete(cfg: Config, keys: Sequence[str]) -> None:
    """Refuse a config of parts alone, which inherit from one another.

    Args:
        cfg: The config of a run.
        keys: What the command needs beside the model.

    Raises:
        KeyError: If one is missing.
    """
    missing = [key for key in ('model', *keys) if cfg.get(key) is None]
    if missing and 'runner_type' not in cfg:  # another Runner may do without
        raise KeyError(
            f'{cfg.filename} has no {" and no ".join(missing)}, which this command '
            'needs: take a whole config, or write them in the file'
        )


def build_runner(cfg: Config) -> Runner:
    """Build the Runner of a config, of its ``runner_type`` if it has one."""
    return Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)


@contextmanager
def logged(
    runner: Runner, done: Callable[[], str], stopped: Callable[[Stopped], str]
) -> Iterator[None]:
    """Close a run's log with how the run ended.

    Args:
        runner: Its log takes the traceback of an exception too, which would
            otherwise be on the screen alone.
        done: Gives the last line of a run that came to its end.
        stopped: Gives the last line of a run that a signal stopped.

    Raises:
        Stopped: With code 130, after Ctrl-C; see there for other signals.
        SystemExit: With a text and code 1, on a full disk.
    """
    try:
        yield
    except (KeyboardInterrupt, Stopped) as cause:
        stop = cause if isinstance(cause, Stopped) else Stopped(signal.SIGINT)
        runner.logger.warning(stopped(stop))
        raise stop from None
    except OSError as error:
        _log_to_file(runner.logger, traceback.format_exc())
        if error.errno not in NO_ROOM:
            raise
        raise SystemExit(f'The disk of {runner.work_dir} is full: {error}') from error
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
    if sys.argv[0].startswith('mmmix '):  # the console command
        module = f'-m {sys.argv[0]}'
        if launcher != 'pytorch':
            return sys.argv[0]
    if launcher != 'pytorch':
        return f'python {module}'
    processes = os.environ.get('LOCAL_WORLD_SIZE', '1')
    return f'python -m torch.distributed.run --nproc_per_node={processes} {module}'
