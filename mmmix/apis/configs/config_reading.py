"""Reading a config: by its name, with a method and other settings put into it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmmix.apis.arguments import Options, option
from mmmix.apis.configs.apply_mix import apply_mix
from mmmix.apis.configs.cfg_options import merge_options
from mmmix.apis.configs.config_path import nearest_configs
from mmmix.apis.configs.reading_errors import told_with_place
from mmmix.apis.launching.devices import leave_device_without_ops
from mmmix.apis.safe_loading.files import install_safe_files
from mmmix.registry import is_classifier

_HOOKS_OF_ALL = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)
"""Those that ``Runner.register_default_hooks`` adds to every run."""


def read_config(
    config: str,
    options: Mapping[str, Any] | None = None,
    mix: str | None = None,
    mix_options: Mapping[str, Any] | None = None,
    *,
    trust: bool = False,
    launcher: str = 'none',
    work_dir: str | None = None,
) -> Config:
    """Read a config, or one that comes with a package, and change it.

    From here on mmengine builds from the registries of the config's ``default_scope``
    (mmdet's without one), reads pickles and YAML as data, and takes no device that
    mmcv has no ops for.

    Args:
        config: Path, or ``mmmix::NAME.py`` or ``mmdet::FOLDER/NAME.py``; with
            ``+METHOD`` behind it, the config with that method.
        options: Settings to merge.
        mix: Method to put into it, see :func:`mmmix.apis.configs.apply_mix.apply_mix`.
        mix_options: Settings of the method.
        trust: Read pickles and YAML as mmengine does, code included.
        launcher: What started this process.
        work_dir: Working directory; default: the config's, else ``work_dirs/<name of
            the config>``, with the method behind it if there is one.

    Raises:
        FileNotFoundError: If there is no such file, or one that it inherits from.
        ImportError: If a module of ``custom_imports`` cannot be imported.
        KeyError, ValueError: If the method is unknown or does not fit, two are given,
            or settings of none; if the file cannot be read, or ``options`` cannot be
            merged.
    """
    install_safe_files(trust)
    leave_device_without_ops()
    name, method = split_method(config)
    if mix is not None and method not in (None, mix):
        raise ValueError(f'{config} names a method, and so does --mix {mix}')
    method = method or mix
    path = _config_file(name)
    with told_with_place(path):
        cfg = Config.fromfile(path)
    cfg.launcher = launcher
    merge_options(cfg, options or {})
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    if method is not None:
        apply_mix(cfg, method, **(mix_options or {}))
    elif mix_options:
        raise ValueError(
            f'--mix-options {", ".join(mix_options)}: they are settings of --mix NAME '
            f'or CONFIG+NAME, and {config} is given without. A mixer that the config '
            'has itself is set by --cfg-options '
            'model.data_preprocessor.batch_augments.0.KEY=VALUE'
        )
    _drop_worker_settings(cfg)
    _drop_absent_hooks(cfg)
    if work_dir is not None or cfg.get('work_dir') is None:
        stem = Path(path).stem if method is None else f'{Path(path).stem}_{method}'
        cfg.work_dir = work_dir or os.path.join('work_dirs', stem)
    return cfg


def _config_file(name: str) -> str:
    """The file of a config, named by its path or by the package it comes with.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is no such package, or the name has another form.
    """
    path = name
    if '::' in name:
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


def check_detects(cfg: Config, instead: str) -> None:
    """Refuse a config of a classifier where a command is for detectors.

    Args:
        cfg: The config.
        instead: What to use, for a person to read.

    Raises:
        ValueError: If it is of a classifier.
    """
    if is_classifier(cfg):
        raise ValueError(
            f'{cfg.filename} is of a classifier ({cfg.model.get("type")}), and this '
            f'is for detectors; {instead}'
        )


def parsed_options(options: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` strings as the commands read them.

    Raises:
        ValueError: If one has another form.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=Options, default={})
    words = ['--options', *map(option, options)] if options else []
    return parser.parse_args(words).options


def config_name(config: str) -> str:
    """A config's file name without folder, ``mmmix::`` and ending.

    That of ``CONFIG+METHOD`` ends in ``_METHOD``, as leaves are named, and that of
    ``CONFIG@KEY=VALUE`` in ``@KEY=VALUE``, as studies write it.
    """
    base, settings = split_settings(config)
    path, method = split_method(base)
    stem = Path(path.rpartition('::')[2]).stem
    return (stem if method is None else f'{stem}_{method}') + settings


def split_method(config: str) -> tuple[str, str | None]:
    """The config and the method of ``CONFIG+METHOD``; None for a config alone."""
    name, plus, method = config.rpartition('+')
    if not plus or os.path.sep in method or os.path.exists(config):
        return config, None
    return name, method


def split_settings(config: str) -> tuple[str, str]:
    """The config and the settings of ``CONFIG@KEY=VALUE``; an empty text for none."""
    found = re.search(r'(@[\w.]+=[\w.+-]*)+$', config)
    return (config[: found.start()], found[0]) if found else (config, '')
