"""``KEY=VALUE`` strings of a study, as its commands will read them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, DictAction

from mmmix.apis.config_reading import read_config


def parsed(options: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` strings as the commands read them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=DictAction, default={})
    words = ['--options', *options] if options else []
    return parser.parse_args(words).options


def read_choice(
    config: str, cfg_options: Sequence[str] = (), mix_options: Sequence[str] = ()
) -> Config:
    """The config of a run, read as its training reads it.

    A method can have settings without a default (AlignMix's ``level``): read without
    them, ``CONFIG+alignmix`` would be refused.

    Args:
        config: A path, ``mmmix::NAME.py`` or with ``+METHOD`` behind.
        cfg_options: ``KEY=VALUE`` strings to merge.
        mix_options: ``KEY=VALUE`` strings for the method; without effect on a config
            that has none behind it.

    Raises:
        FileNotFoundError: If there is no such config.
        KeyError, ValueError: If the method is unknown or does not fit.
    """
    return read_config(
        config,
        options=parsed(cfg_options) or None,
        mix_options=parsed(mix_options) or None,
    )
