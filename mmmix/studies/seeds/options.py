"""``KEY=VALUE`` strings of a study, as its commands will read them."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.config import Config

from mmmix.apis.configs.config_reading import (
    parsed_options,
    read_config,
    split_method,
)


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
        KeyError, ValueError: If the method is unknown or does not fit, or a setting
            cannot be merged.
    """
    return read_config(
        config,
        options=parsed_options(cfg_options),
        mix_options=parsed_options(mix_options if has_method(config) else ()),
    )


def read_content(config: str) -> str:
    """What a config file and its bases hold now, without the method."""
    return repr(read_config(split_method(config)[0]).to_dict())


def has_method(config: str) -> bool:
    """Whether a config is given as ``CONFIG+METHOD``."""
    return split_method(config)[1] is not None
