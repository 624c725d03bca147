"""Registries of mmmix, and how to build from them.

Everything that mmdet already has a registry for (heads, transforms, hooks,
metrics) registers in mmdet's own registries, so bare names work in inherited
configs. Only the two kinds that mmdet does not know live here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

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


# A type is a name ('Resize'), one with a scope ('mmdet.Resize'), the path of a class
# ('mmcv.transforms.Resize') or, in a pure Python config, the class itself. Comparing it
# with a word sees the first alone.


def class_of(kind: Any, registry: Registry) -> type | None:
    """The class that a ``type`` names, or None.

    Args:
        kind: The value of ``type``.
        registry: Where its name is looked up. A name with a scope that does not have
            it is looked up without: types of mmmix are registered in mmdet's.
    """
    if not isinstance(kind, str):
        return kind if isinstance(kind, type) else None
    found = get_object_from_string(kind) if '.' in kind else None
    scope, _, name = kind.rpartition('.')
    for start in (_of_scope(registry, scope), registry):
        found = found or _looked_up(name, start)
    return found if isinstance(found, type) else None


def _of_scope(registry: Registry, scope: str) -> Registry:
    """The registry of a scope beside or below one; that one if there is none."""
    at: Registry | None = registry
    while at is not None:
        if scope in at.children:
            return at.children[scope]
        at = at.parent
    return registry


def _looked_up(name: str, registry: Registry) -> Any:
    """What a registry, or one above it, has of a name; None if there is nothing."""
    # Registry.get does this too, with a line in the log for each.
    found, at = None, registry
    while found is None and at is not None:
        at.import_from_location()
        found = at.module_dict.get(name)
        at = at.parent
    return found


def is_a(config: Any, base: Any, registry: Registry) -> bool:
    """Whether a config's type is a class, or derives from it.

    Args:
        config: A dict with ``type``; anything else is none.
        base: The class, or the ``type`` that names it.
        registry: Where names are looked up.
    """
    if not isinstance(config, Mapping):
        return False
    cls, base = (class_of(kind, registry) for kind in (config.get('type'), base))
    return cls is not None and base is not None and issubclass(cls, base)


def is_classifier(cfg: Config) -> bool:
    """Whether a config is of a classifier, which mmpretrain trains."""
    return cfg.get('default_scope') == 'mmpretrain'
