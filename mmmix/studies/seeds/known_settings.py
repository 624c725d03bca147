"""Whether what a study sets is known where it is set, before any training fails."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mmdet import registry as registries
from mmengine.config import Config
from mmengine.registry import Registry

from mmmix.engine.described_mixers import placed_mixers
from mmmix.registry import RATIOS, SUPERVISIONS, class_of, is_classifier

_NEAR = 0.75
_VARIOUS = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def check_cfg_options(cfg: Config, options: Sequence[str]) -> None:
    """Refuse a setting that an object does not take, and that looks misspelt.

    One that resembles nothing is left to the training: who builds an object may read
    settings that its constructor does not.

    Args:
        cfg: The config, with the settings.
        options: ``KEY=VALUE`` strings that were merged into it.

    Raises:
        ValueError: With the setting, and the key that is near.
    """
    if is_classifier(cfg):  # Of two classes of one name, mmpretrain's is meant.
        return
    content = cfg.to_dict()
    for option in options:
        key, _, _ = option.partition('=')
        place, _, name = key.rpartition('.')
        kind = _kind(content, place)
        known = None if kind is None else _taken(_classes(kind))
        if known is None or name in {*known, 'type'}:
            continue
        near = _nearest(name, {each: each for each in known})
        if near:
            called = getattr(kind, '__name__', kind)
            raise ValueError(
                f'{option}: {called} has no setting {name!r}; the nearest is '
                f'{place}.{near}'
            )


def check_mixers(cfg: Config, settings: Sequence[str]) -> None:
    """Build the mixers of a config, which are cheap and refuse what they do not know.

    Args:
        cfg: The config, with the settings.
        settings: ``KEY=VALUE`` strings that were merged into it, for the message.

    Raises:
        ValueError: With the settings, what is wrong, and the key that is near.
    """
    for _, mixer, registry in placed_mixers(cfg):
        kind = class_of(mixer['type'], registry)
        arguments = {key: value for key, value in mixer.items() if key != 'type'}
        try:
            kind(**arguments)
        except (KeyError, TypeError, ValueError) as error:
            said = error.args[0] if error.args else error
            hint = _hint(str(said), mixer, kind, settings)
            named = [text for text in settings if _name(text) in str(said)] or settings
            raise ValueError(f'{", ".join(named)}: {said}{hint}') from error


def _hint(said: str, mixer: Mapping, kind: type, settings: Iterable[str]) -> str:
    """The key of a mixer that is near to one which it was said not to have."""
    known = {name: name for name in _parameters(kind)[0]}
    known |= dict(_inner_keys(mixer))
    for setting in settings:
        name = _name(setting)
        if repr(name) in said and name not in known:
            near = _nearest(name, known)
            return f'; the nearest is {near}' if near else ''
    return ''


def _name(setting: str) -> str:
    """The last part of the key of ``KEY=VALUE``."""
    return setting.partition('=')[0].rpartition('.')[2]


def _inner_keys(mixer: Mapping) -> Iterator[tuple[str, str]]:
    """What the objects within a mixer take, by the last part of the key."""
    for place, registry in (('ratio', RATIOS), ('supervision', SUPERVISIONS)):
        inner = mixer.get(place)
        kind = class_of(inner.get('type'), registry) if inner else None
        for name in _parameters(kind)[0] if kind else ():
            yield name, f'{place}.{name}'


def _nearest(name: str, known: Mapping[str, str]) -> str:
    """The key whose name is spelt nearly so; empty if none is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
    return known[near[0]] if near else ''


def _kind(content: Any, place: str) -> Any:
    """The ``type`` of the object at a place of a config; None where there is none."""
    for part in place.split('.'):
        if isinstance(content, (list, tuple)):
            content = dict(enumerate(content)).get(int(part))
        else:
            content = content.get(part) if isinstance(content, Mapping) else None
    return content.get('type') if isinstance(content, Mapping) else None


def _classes(kind: Any) -> set[type]:
    """The classes of that name in all registries: which one builds is not known."""
    known = [r for r in vars(registries).values() if isinstance(r, Registry)]
    found = (class_of(kind, registry) for registry in known)
    return {cls for cls in found if cls is not None}


def _taken(classes: Iterable[type]) -> set[str] | None:
    """What classes take together; None if one may take any, or there is no class."""
    taken: set[str] = set()
    for cls in classes:
        names, others = _parameters(cls)
        if others:
            return None
        taken.update(names)
    return taken or None


def _parameters(cls: type) -> tuple[list[str], bool]:
    """What a constructor and those it hands on to take, and whether others too."""
    names: list[str] = []
    for base in cls.__mro__:
        if '__init__' not in vars(base):
            continue
        if hasattr(
            base.__init__, '__wrapped__'
        ):  # It may take names of old, as mmcv's.
            return names, True
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        kinds = {p.name: p.kind for p in parameters}
        names += [name for name, kind in kinds.items() if kind not in _VARIOUS]
        if inspect.Parameter.VAR_KEYWORD not in kinds.values():
            return names, False
    return names, True
