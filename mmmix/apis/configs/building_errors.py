"""Configs of which something cannot be built, told with the place of the fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config

from mmmix.apis.configs.nests import dicts_in
from mmmix.apis.plain_errors import text_of
from mmmix.layouts.first_few import first_few

_FAULTS = (
    r"__init__\(\) got an unexpected keyword argument '(?P<key>\w+)'",
    r"(?P<type>[\w.]+) is not in the [\w:' ]+ registry",
    r'(?P<type>\w+)\.__init__\(\) missing \d+ required',
)
"""What Python and mmengine say of a key that a class does not take, of a type that is
not registered, and of a key that is missing."""


@contextmanager
def told_with_key(cfg: Config) -> Iterator[None]:
    """Say which key of a config is wrong, in place of a traceback through mmengine.

    Args:
        cfg: What is built in the block.

    Raises:
        KeyError: If a type of the config is not registered.
        TypeError: If a class does not take a key of the config, or lacks one. All
            other errors stay as they are.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        text = text_of(error)
        places = _places(cfg, text)
        if not places:
            raise
        said = re.split(r'(?<=registry)\. ', text)[0]  # mmengine's advice left out
        kind = KeyError if isinstance(error, KeyError) else TypeError
        raise kind(f'{cfg.filename}: {said} (see {first_few(places, 3)})') from error


def _places(cfg: Config, text: str) -> list[str]:
    """Where the key or the type stands that an error speaks of."""
    found = next(filter(None, (re.search(fault, text) for fault in _FAULTS)), None)
    if found is None:
        return []
    wrong, kind = map(found.groupdict().get, ('key', 'type'))
    return [
        f'{place}.{key}'.lstrip('.')
        for place, part in dicts_in(dict(cfg.items()), '')
        for key, value in part.items()
        if key == wrong or (key == 'type' and _names(value, kind))
    ]


def _names(kind: Any, name: str | None) -> bool:
    """Whether a type, a class or its name with or without its scope, is of a name."""
    kind = getattr(kind, '__name__', str(kind))
    return name is not None and f'.{kind}'.endswith(f'.{name}')
