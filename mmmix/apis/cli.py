"""What ``train`` and ``test`` share: arguments, the config, and how a run ends."""

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
from pathlib import Path
from typing import Any

from mmdet.registry import RUNNERS
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmmix.apis.arguments import Options
from mmmix.apis.checkpoints.loading import add_trust_argument
from mmmix.apis.configs.apply_mix import apply_mix
from mmmix.apis.configs.cfg_options import merge_options
from mmmix.apis.configs.config_path import PREFIX, config_path, nearest_configs
from mmmix.apis.configs.import_reasons import told_by_us
from mmmix.apis.configs.reading_errors import told_with_place
from mmmix.apis.launching.devices import leave_device_without_ops
from mmmix.apis.launching.launch import LAUNCHERS
from mmmix.apis.safe_loading.files import install_safe_files
from mmmix.engine.stop_signals import Stopped
from mmmix.engine.whole_files import NO_ROOM

_HOOKS_OF_ALL = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)
"""Those that ``Runner.register_default_hooks`` adds to every run."""


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
    """Read the config that the arguments name, with their changes.

    ``mmmix::NAME`` is a config that comes with mmmix, ``mmdet::FOLDER/NAME`` one of
    mmdet; ``CONFIG+METHOD`` is a config with ``--mix METHOD``. The working directory
    is ``--work-dir``, else the config's, else ``work_dirs/<name of the config>``, with
    the method behind it if there is one. From here on mmengine reads pickles and
    YAML as data, and takes no device that mmcv has no ops for.

    Raises:
        FileNotFoundError: If there is no such file, or one that it inherits from.
        ImportError: If a module of ``custom_imports`` cannot be imported.
        KeyError, ValueError: If the method of ``--mix`` is unknown or does not fit, two
            are given, or settings of none; if the file cannot be read, or
            ``--cfg-options`` cannot be merged.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    install_safe_files(getattr(args, 'trust_checkpoint', False))
    leave_device_without_ops()
    name, mix = split_method(args.config)
    if mix is not None and getattr(args, 'mix', None) not in (None, mix):
        raise ValueError(f'{args.config} names a method, and so does --mix {args.mix}')
    path = _config_file(name)
    with told_by_us(), told_with_place(path):
        cfg = Config.fromfile(path)
    cfg.launcher = args.launcher
    merge_options(cfg, args.cfg_options or {})
    mix = mix or getattr(args, 'mix', None)
    mix_options = _mix_options(args, mix)
    if mix is not None:
        init_default_scope(cfg.get('default_scope') or 'mmdet')
        apply_mix(cfg, mix, **mix_options)
    _drop_worker_settings(cfg)
    _drop_absent_hooks(cfg)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = Path(path).stem if mix is None else f'{Path(path).stem}_{mix}'
        cfg.work_dir = os.path.join('work_dirs', name)
    return cfg


def _mix_options(args: argparse.Namespace, mix: str | None) -> dict[str, Any]:
    """The settings of a method; not all commands have them.

    Raises:
        ValueError: If there are some and no method.
    """
    options = getattr(args, 'mix_options', None) or {}
    if options and mix is None:
        raise ValueError(
            f'--mix-options {", ".join(options)}: they are settings of --mix NAME or '
            f'CONFIG+NAME, and {args.config} is given without. A mixer that the config '
            'has itself is set by --cfg-options '
            'model.data_preprocessor.batch_augments.0.KEY=VALUE'
        )
    return options


def _drop_worker_settings(cfg: Config) -> None:
    """Drop what a loader without workers does not take, as in a debugger."""
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(key)
        if not isinstance(loader, dict) or loader.get('num_workers') != 0:
            continue
        if loader.pop('persistent_workers', False) or 'prefetch_factor' in loader:
            loader.pop('prefetch_factor', None)
            print_log(f'{key} has num_workers=0: its settings of workers are dropped.')


def _drop_absent_hooks(cfg: Config) -> None:
    """Drop the default hooks that are None.

    mmengine takes None only for the hooks of every run, where it has to stay.
    """
    hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in hooks.items() if hook is None]:
        if name not in _HOOKS_OF_ALL:
            print_log(f'default_hooks.{name} is None: a run without that hook.')
            del hooks[name]


def split_method(config: str) -> tuple[str, str | None]:
    """The config and the method of ``CONFIG+METHOD``; None for a config alone."""
    name, plus, method = config.rpartition('+')
    if not plus or os.path.sep in method or os.path.exists(config):
        return config, None
    return name, method


def _config_file(name: str) -> str:
    """The file of a config, named by its path or by the package it comes with.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is no such package, or the name has another form.
    """
    path = name
    if name.startswith(PREFIX):
        path = config_path(name)
    elif '::' in name:
        try:
            path, _ = Config._get_cfg_path(name, '.')
        except (AssertionError, ImportError, ValueError) as error:
            text = str(error).rstrip('.')
            raise ValueError(
                f'{name}: {text}. Take mmmix::NAME.py or mmdet::FOLDER/NAME.py'
            ) from error
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'no config at {os.path.abspath(path)}; {nearest_configs(name)}give the '
            'path of a config, mmmix::NAME.py for one that comes with mmmix, or '
            'mmdet::FOLDER/NAME.py'
        )
    return path


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
