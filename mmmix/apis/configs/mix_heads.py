"""Heads of a config: which of them read mixed labels, or have a twin that does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import Registry

from mmmix.models.loss_weights import deaf_losses
from mmmix.registry import class_of, is_a

TWINS = {
    'SSDHead': 'MixSSDHead',
    'RetinaHead': 'MixRetinaHead',
    'RPNHead': 'MixRPNHead',
    'YOLOV3Head': 'MixYOLOV3Head',
    'StandardRoIHead': 'MixStandardRoIHead',
    'BBoxHead': 'MixBBoxHead',
    'Shared2FCBBoxHead': 'MixShared2FCBBoxHead',
}
"""Heads of mmdet and the mix-aware ones that take their place."""

_ALIGNED = ('SSDHead', 'RPNHead', 'StandardRoIHead')
"""Heads of mmdet that AlignMix can carry labels to."""


def class_in(cfg: Mapping, registry: Registry) -> type:
    """The class that a config builds.

    Raises:
        KeyError: If it is not registered.
    """
    found = class_of(cfg.get('type'), registry)
    if found is None:
        raise KeyError(f'{cfg.get("type")!r} is not registered in {registry.name!r}')
    return found


def heads_of(model: Mapping) -> Iterator[tuple[str, Mapping]]:
    """The parts of a detector that have a loss, whatever they are called."""
    for key, value in model.items():
        parts = value if isinstance(value, (list, tuple)) else [value]
        for index, cfg in enumerate(parts):
            if not isinstance(cfg, Mapping) or 'type' not in cfg:
                continue
            if key.endswith('_head') or hasattr(class_of(cfg['type'], MODELS), 'loss'):
                yield key if cfg is value else f'{key}[{index}]', cfg


def _twin(cfg: Mapping) -> str | None:
    """The mix-aware head that takes the place of one of mmdet's own."""
    kind = class_in(cfg, MODELS)
    ours = kind.__module__.partition('.')[0] == 'mmdet'
    return TWINS.get(kind.__name__) if ours else None


def _stock_name(cfg: Mapping) -> str | None:
    """Mmdet's name of a head that is mix-aware or has a twin that is; else None."""
    if _twin(cfg):
        return class_in(cfg, MODELS).__name__
    names = (old for old, twin in TWINS.items() if is_a(cfg, MODELS.get(twin), MODELS))
    return next(names, None)


def is_aware(cfg: Any) -> bool:
    """Whether a head is mix-aware or has a twin that is, and its losses heed λ."""
    if not isinstance(cfg, Mapping) or _stock_name(cfg) is None:
        return False
    inner = cfg.get('bbox_head')
    return is_aware(inner) if inner is not None else not deaf_losses_of(cfg)


def deaf_losses_of(cfg: Mapping) -> list[str]:
    """Losses of a head, or of the box head in it, that do not heed weights.

    Other heads are not asked, nor YOLOv3's, whose losses mmdet masks by weights itself.
    """
    inner = cfg.get('bbox_head')
    if isinstance(inner, Mapping):  # a cascade has several
        return deaf_losses_of(inner)
    if _stock_name(cfg) in (None, 'YOLOV3Head'):
        return []
    losses = {
        name: MODELS.build(cfg[name])
        for name in ('loss_cls', 'loss_bbox')
        if cfg.get(name)
    }
    return deaf_losses(losses, cfg.get('num_classes', 1))


def carries_labels(heads: Mapping[str, ConfigDict]) -> bool:
    """Whether AlignMix knows all heads."""
    return all(_stock_name(cfg) in _ALIGNED for cfg in heads.values())


def use_twins(heads: Mapping[str, ConfigDict]) -> list[str]:
    """Put the mix-aware heads in place; returns what was changed."""
    changes = []
    for key, cfg in heads.items():
        parts = {key: cfg}
        if isinstance(cfg.get('bbox_head'), Mapping):
            parts[f'{key}.bbox_head'] = cfg.bbox_head
        for place, part in parts.items():
            twin = _twin(part)
            if twin:
                changes.append(f'model.{place}: {_stock_name(part)} -> {twin}')
                part.type = twin
    return changes
