"""Reading a config for tools that start no run."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmix.apis.arguments import Options, option
from mmmix.apis.cli import load_config, split_method
from mmmix.registry import is_classifier


def read_config(
    config: str,
    options: dict[str, Any] | None = None,
    mix: str | None = None,
    mix_options: dict[str, Any] | None = None,
) -> Config:
    """Read a config, or one that comes with a package, and change it.

    Args:
        config: Path, or ``mmmix::NAME.py`` or ``mmdet::FOLDER/NAME.py``; with
            ``+METHOD`` behind it, the config with that method.
        options: Settings to merge.
        mix: Method to put into it, see :func:`mmmix.apis.configs.apply_mix.apply_mix`.
        mix_options: Settings of the method.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If what it imports cannot be imported.
        KeyError, ValueError: If the method is unknown or does not fit.
    """
    args = argparse.Namespace(
        config=config,
        cfg_options=options,
        work_dir=None,
        launcher='none',
        local_rank=0,
        mix=mix,
        mix_options=mix_options,
    )
    return load_config(args)


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


def split_settings(config: str) -> tuple[str, str]:
    """The config and the settings of ``CONFIG@KEY=VALUE``; an empty text for none."""
    found = re.search(r'(@[\w.]+=[\w.+-]*)+$', config)
    return (config[: found.start()], found[0]) if found else (config, '')
