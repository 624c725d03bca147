"""Settings of the command line that are merged into a config."""

from __future__ import annotations

import copy
import difflib
import inspect
import logging
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

_KNOWN = {
    *inspect.signature(Runner.__init__).parameters,
    *('activation_checkpointing', 'auto_scale_lr', 'compile', 'dist_params'),
    *('find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'sync_bn'),
    *('tta_model', 'tta_pipeline'),
}
"""What a run reads at the top of a config, whether or not it is there."""


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Merge settings into a config; one that looks misspelt is warned of.

    mmengine adds what is new in silence, which may be meant.

    Args:
        cfg: The config, which is changed.
        options: Values by key, such as ``optim_wrapper.optimizer.lr``.

    Raises:
        ValueError: If one cannot be merged, with its key and what is there.
    """
    if not options:
        return
    content = cfg.to_dict()
    before = copy.deepcopy(cfg)
    try:
        cfg.merge_from_dict(dict(options))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(_refusal(before, options, error)) from error
    for key in options:
        remark = _remark(content, key)
        if remark:
            text = f'--cfg-options {remark}. It is added all the same: is that meant?'
            print_log(text, level=logging.WARNING)


def missing_place(content: Mapping[str, Any], key: str) -> str:
    """What a config lacks for a key; an empty text if it has a place for it.

    The last part may be new where what holds it is an object with a ``type``, whose
    constructor then knows it or not.

    Args:
        content: Of the config, as plain containers.
        key: Parts with dots between them; those of a list are numbers.
    """
    place: Any = content
    parts = key.split('.')
    for number, part in enumerate(parts):
        known = _known(place)
        last = number == len(parts) - 1
        if part not in known and not (last and 'type' in known):
            before = '.'.join(parts[:number]) or 'the config'
            near = difflib.get_close_matches(part, known, n=1, cutoff=0.75)
            hint = f'; did you mean {near[0]!r}?' if near else ''
            return f'{key} has no place, {before} has {sorted(known)}{hint}'
        if not last:
            place = _inner(place, part)
    return ''


def _inner(place: Any, part: str) -> Any:
    """What a part of a key leads to."""
    return place[int(part)] if isinstance(place, (list, tuple)) else place[part]


def _known(place: Any) -> list[str]:
    """The parts of a key that lead on from a place."""
    if isinstance(place, (list, tuple)):
        return [str(index) for index in range(len(place))]
    return list(place) if isinstance(place, Mapping) else []


def _remark(content: Mapping[str, Any], key: str) -> str:
    """What looks wrong about a key that was merged."""
    first, _, _ = key.partition('.')
    if key.endswith('_delete_') or (first not in content and first in _KNOWN):
        return ''
    return missing_place(content, key) or _nearly(content, key)


def _nearly(content: Mapping[str, Any], key: str) -> str:
    """A remark on a new setting of an object that has one spelt nearly so."""
    place: Any = content
    *parts, name = key.split('.')
    for part in parts:
        place = _inner(place, part)
    known = _known(place)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    if name in known or not near:
        return ''
    return f'{key} is new, and {".".join(parts)} has {near[0]!r}'


def _refusal(cfg: Config, options: Mapping[str, Any], error: Exception) -> str:
    """Which setting cannot be merged, and why."""
    content = cfg.to_dict()
    for key, value in options.items():
        try:
            copy.deepcopy(cfg).merge_from_dict({key: value})
        except (AttributeError, KeyError, TypeError) as its:
            reason = missing_place(content, key) or its
            return f'--cfg-options {key}={value}: {reason}'
    return f'--cfg-options {", ".join(options)} cannot be merged together: {error}'
