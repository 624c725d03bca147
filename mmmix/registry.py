"""Registries of mmmix, and how to build from them.

Everything that mmdet already has a registry for (heads, transforms, hooks,
metrics) registers in mmdet's own registries, so bare names work in inherited
configs. Only the two kinds that mmdet does not know live here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.registry import MODELS, TASK_UTILS
from mmengine.registry import Registry

SUPERVISIONS = Registry(
    'supervision',
    parent=MODELS,
    scope='mmmix',
    locations=['mmmix.models.supervisions'],
)
"""How a head turns weighted components into a loss."""

RATIOS = Registry(
    'ratio',
    parent=TASK_UTILS,
    scope='mmmix',
    locations=['mmmix.mixing.ratios'],
)
"""How a mixer draws λ."""


def build_from(registry: Registry, cfg: Any, key: str) -> Any:
    """Build an object from one of mmmix's registries.

    ``Registry.build`` would look the type up in the default scope's registry
    (mmdet's), where a bare ``type='BoxMix'`` does not exist; this looks in
    ``registry`` itself and words its errors for a config author.

    Args:
        registry: The registry to look in.
        cfg: A dict with ``type``, or an object that was already built, which
            is returned as it is.
        key: Name of the config key, for error messages.

    Raises:
        TypeError: If ``cfg`` is no dict, or has a key that the type does not
            take.
        KeyError: If ``type`` is missing or not registered.
    """
    known = ', '.join(sorted(registry.module_dict))
    if isinstance(cfg, tuple(registry.module_dict.values())):
        return cfg
    if not isinstance(cfg, dict):
        raise TypeError(
            f'{key} must be a dict such as dict(type=...) with a type among '
            f'{known}; got {cfg!r}'
        )
    settings = dict(cfg)
    if 'type' not in settings:
        raise KeyError(f'{key} needs a type among {known}; got {cfg!r}')
    name = settings.pop('type')
    cls = name if isinstance(name, type) else registry.get(name)
    if cls is None or cls not in registry.module_dict.values():
        raise KeyError(f'{key}: unknown type {name!r}; expected one of {known}')
    try:
        return cls(**settings)
    except TypeError as error:
        raise TypeError(f'{key}=dict(type={cls.__name__!r}, ...): {error}') from error


def class_of(cfg: Mapping[str, Any], registry: Registry) -> type:
    """The class that a config builds, named bare, with a scope, or as a class.

    Args:
        cfg: A dict with ``type``.
        registry: Where a name is looked up, parents and other scopes included.

    Raises:
        KeyError: If ``type`` is missing or not registered.
    """
    kind = cfg.get('type')
    found = kind if isinstance(kind, type) else kind and registry.get(kind)
    if not isinstance(found, type):
        raise KeyError(f'type {kind!r} is not registered in {registry.name!r}: {cfg}')
    return found


def is_kind(cfg: Any, cls: type, registry: Registry) -> bool:
    """Whether a config builds a ``cls``; False for what builds nothing known."""
    try:
        return isinstance(cfg, Mapping) and issubclass(class_of(cfg, registry), cls)
    except (KeyError, ImportError):
        return False
