"""The pretrained weights that a config names for parts of its model."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS

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
        _drop(cfg.get(key), key, warn)
    cfg.load_from = None


def _drop(part: Any, key: str, warn: bool) -> None:
    """Drop pretrained weights in a nest of dicts and lists."""
    if isinstance(part, (list, tuple)):
        for index, item in enumerate(part):
            _drop(item, f'{key}.{index}', warn)
    if not isinstance(part, dict):
        return
    init_cfg = part.get('init_cfg')
    pretrained = isinstance(part.get('pretrained'), str)
    if isinstance(init_cfg, (list, tuple)):
        part['init_cfg'] = [item for item in init_cfg if not _is_pretrained(item)]
        pretrained |= len(part['init_cfg']) < len(init_cfg)
    if _is_pretrained(init_cfg) or part.get('init_cfg') == []:
        del part['init_cfg']
        pretrained = True
    if 'pretrained' in part:
        part['pretrained'] = None
    if pretrained and warn:
        _warn_frozen(part, key)
    for name, item in part.items():
        _drop(item, f'{key}.{name}', warn)


def named_weights(part: Any, key: str = 'model') -> Iterator[tuple[str, str]]:
    """The weights that parts of a model start from.

    Args:
        part: A nest of dicts and lists.
        key: Its place in the config.

    Yields:
        The place of a part, and the checkpoint that it names.
    """
    if isinstance(part, (list, tuple)):
        for index, item in enumerate(part):
            yield from named_weights(item, f'{key}.{index}')
    if not isinstance(part, dict):
        return
    if isinstance(part.get('pretrained'), str):
        yield key, part['pretrained']
    settings = part.get('init_cfg')
    for one in settings if isinstance(settings, (list, tuple)) else [settings]:
        if _is_pretrained(one):
            yield key, str(one.get('checkpoint'))
    for name, item in part.items():
        if name != 'init_cfg':
            yield from named_weights(item, f'{key}.{name}')


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
