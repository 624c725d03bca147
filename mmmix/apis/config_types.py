"""What the ``type`` of a config names, in each of the ways it may be written.

A type is a name (``'Resize'``), one with a scope (``'mmdet.Resize'``), the path of a
class (``'mmcv.transforms.Resize'``), or, in a pure Python config, the class itself.
Comparing it with a word sees the first alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry
from mmengine.utils import get_object_from_string


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
    # Registry.get does this too, with a line in the log for each.
    at: Registry | None = registry
    while found is None and at is not None:
        at.import_from_location()
        found = at.module_dict.get(kind.rpartition('.')[2])
        at = at.parent
    return found if isinstance(found, type) else None


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
