"""Detections that a test drops for their scores, before AP and AR count them.

An over-fitted detector has sure scores and next to none between, a mixed one has many
low ones: one threshold drops more of the first, so that AP and AR compare thresholds.
That holds for low ones, too: above 0.001 an SSD that was trained on 100 photographs for
180 epochs keeps 23 boxes of an image, and one that was trained with BoxMix 200.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.config import Config

from mmmix.apis.reporting import say


def score_cuts(settings: Any, key: str) -> dict[str, float]:
    """Score thresholds of the tests of a model, by their dotted keys.

    Args:
        settings: Of a model, or a part of them.
        key: Where they are in the config, such as ``'model'``.
    """
    if not isinstance(settings, Mapping):
        return {}
    found: dict[str, float] = {}
    for name, value in settings.items():
        if name == 'score_thr' and '.test_cfg' in key:
            found[f'{key}.{name}'] = value
        found.update(score_cuts(value, f'{key}.{name}'))
    return found


def lower_cuts(cfg: Config, least: float, chosen: Iterable[str]) -> None:
    """Let a model tell all that scores ``least``, where its tests would drop it.

    Args:
        cfg: The config, whose higher thresholds are lowered to this score.
        least: The score.
        chosen: Keys that the user set, which stay as they are.
    """
    cuts = score_cuts(cfg.get('model'), 'model')
    higher = {key for key, value in cuts.items() if value > least} - set(chosen)
    cfg.merge_from_dict(dict.fromkeys(higher, least))


def cut_remark(cfg: Config, chosen: Iterable[str]) -> str | None:
    """What to say before methods are compared; None if nothing is dropped.

    Args:
        cfg: The config of the reference.
        chosen: Keys that the user set; nothing is said if a threshold is among them.
    """
    if any(key.endswith('score_thr') for key in chosen):
        return None
    cuts = score_cuts(cfg.get('model'), 'model')
    cuts = {key: value for key, value in cuts.items() if value > 0}
    if not cuts:
        return None
    named = ' and '.join(f'{key}={value:g}' for key, value in cuts.items())
    options = ' '.join(f'{key}=0' for key in cuts)
    return (
        f'tests drop what scores below {named}, more of one method than of another; '
        f'AP and AR count the rest. To count all: --cfg-options {options}'
    )


def say_cuts(cfg: Config, chosen: Iterable[str], compared: int) -> None:
    """Say :func:`cut_remark`, where there is something to compare.

    Args:
        cfg: The config of the reference.
        chosen: Keys that the user set.
        compared: How many configs or models there are.
    """
    remark = cut_remark(cfg, chosen)
    if compared > 1 and remark:
        say(remark)
