"""The pretrained weights that a config names for parts of its model."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS

from mmmix.apis.configs.nests import dicts_in
from mmmix.registry import is_a


def drop_pretrained(cfg: Config, warn: bool = True) -> None:
    """Make a config start from random weights.

    Every ``init_cfg`` of type ``Pretrained`` in the model goes (others stay, alone
    or in a list), every key ``pretrained`` becomes None, and so does ``load_from``.
    Layers that the config freezes would stay random for ever: a warning names them.

    Args:
        cfg: The config, which is changed.
        warn: Whether ``--no-pretrained`` asked for it, and a training follows.
    """
    for key in ('model', 'data_preprocessor'):
        for place, part in dicts_in(cfg.get(key), key):
            if _dropped(part) and warn:
                _warn_frozen(part, place)
    cfg.load_from = None


def _dropped(part: dict) -> bool:
    """Drop the pretrained weights that a part of a model names; whether it did."""
    dropped = isinstance(part.get('pretrained'), str)
    if 'pretrained' in part:
        part['pretrained'] = None
    init_cfg = part.get('init_cfg')
    if isinstance(init_cfg, (list, tuple)):
        part['init_cfg'] = [item for item in init_cfg if not _is_pretrained(item)]
        dropped |= len(part['init_cfg']) < len(init_cfg)
    if _is_pretrained(init_cfg) or part.get('init_cfg') == []:
        del part['init_cfg']
        dropped = True
    return dropped


def named_weights(model: Any) -> Iterator[tuple[str, str]]:
    """The weights that parts of a model start from.

    Args:
        model: Its config; None if there is none.

    Yields:
        The place of a part in the config, and the checkpoint that it names.
    """
    for place, part in dicts_in(model, 'model'):
        if isinstance(part.get('pretrained'), str):
            yield place, part['pretrained']
        settings = part.get('init_cfg')
        for one in settings if isinstance(settings, (list, tuple)) else [settings]:
            if _is_pretrained(one):
                yield place, str(one.get('checkpoint'))


def _is_pretrained(init_cfg: Any) -> bool:
    """Whether an ``init_cfg`` loads weights."""
    return is_a(init_cfg, PretrainedInit, WEIGHT_INITIALIZERS)


def _warn_frozen(part: dict, key: str) -> None:
    """Name the settings that only make sense with pretrained weights."""
    fixes = []
    if part.get('frozen_stages', -1) >= 0:
        fixes.append(f'{key}.frozen_stages=-1')
    if part.get('norm_eval'):
        fixes.append(f'{key}.norm_eval=False')
    if fixes:
        print_log(
            f'--no-pretrained leaves frozen layers of {key} at random weights; train '
            f'them by --cfg-options {" ".join(fixes)}',
            logger='current',
            level=logging.WARNING,
        )
