"""Reading a config for tools that start no run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmix.apis.cli import load_config


def read_config(config: str, options: dict[str, Any] | None = None) -> Config:
    """Read a config, or one that comes with mmmix, and merge ``options``.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    args = argparse.Namespace(
        config=config, cfg_options=options, work_dir=None, launcher='none', local_rank=0
    )
    return load_config(args)


def config_name(config: str) -> str:
    """A config's file name without folder, ``mmmix::`` and ending."""
    return Path(config.rpartition('::')[2]).stem
