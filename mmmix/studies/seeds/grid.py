"""Settings that a study varies: ``KEY=a,b`` makes two runs of each config."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.config import Config

from mmmix.apis.configs.cfg_options import missing_place
from mmmix.engine.described_mixers import placed_mixers
from mmmix.studies.seeds.options import has_method, read_choice

MIX = 'mix.'


@dataclass(frozen=True)
class Axis:
    """A setting and its values, as they are written on the command line."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A config with one value for each setting that is varied.

    Args:
        config: As it was given.
        settings: ``(KEY, value)`` of the axes that concern this config.
        cfg_options: ``KEY=VALUE`` strings that make them so.
        mix_options: Likewise, for the method of ``CONFIG+METHOD``.
    """

    config: str
    settings: tuple[tuple[str, str], ...] = ()
    cfg_options: tuple[str, ...] = ()
    mix_options: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The config, and behind it the settings: ``CONFIG@KEY=VALUE``."""
        parts = [f'@{key}={_in_file_name(value)}' for key, value in self.settings]
        return self.config + ''.join(parts)


def parse_axis(text: str) -> Axis:
    """Read ``KEY=a,b``; commas within brackets or quotes belong to a value.

    Raises:
        ValueError: If it has another form, or a value twice.
    """
    key, equal, rest = text.partition('=')
    values = tuple(_split(rest))
    if not equal or not re.fullmatch(r'[\w.]+', key) or not all(values):
        raise ValueError(f'--grid expects KEY=VALUE,VALUE,..., got {text!r}')
    if len({_in_file_name(value) for value in values}) < len(values):
        raise ValueError(f'--grid {text}: values must differ, in letters and digits')
    return Axis(key, values)


def choices(
    configs: Sequence[str], grid: Sequence[Axis], mix_options: Sequence[str] = ()
) -> list[Choice]:
    """All combinations of configs and values, the configs in their order.

    A key that begins with ``mix.`` is a setting of the method, and leaves configs alone
    that have none: the baseline of a comparison is made once. Other keys are as in
    ``--cfg-options``.

    Args:
        configs: As they were given.
        grid: The settings to vary.
        mix_options: ``KEY=VALUE`` strings for the methods of all ``CONFIG+METHOD``.

    Raises:
        KeyError: If a config has no place for a key.
        ValueError: If a key comes twice, the configs have no method to vary, or one
            has several mixers.
    """
    keys = [axis.key for axis in grid]
    if len(set(keys)) < len(keys):
        raise ValueError(f'--grid has a key twice: {", ".join(keys)}')
    found = [
        choice for config in configs for choice in _of_config(config, grid, mix_options)
    ]
    varied = {key for choice in found for key, _ in choice.settings}
    for key in keys:
        if key not in varied:
            raise ValueError(f'--grid {key}: no config mixes, {", ".join(configs)}')
    return found


def _of_config(
    config: str, grid: Sequence[Axis], mix_options: Sequence[str]
) -> list[Choice]:
    if not grid:
        return [Choice(config)]
    first = [
        f'{axis.key.removeprefix(MIX)}={axis.values[0]}'
        for axis in grid
        if axis.key.startswith(MIX)
    ]
    content = read_choice(config, mix_options=[*mix_options, *first])
    targets = {axis.key: _target(config, content, axis.key) for axis in grid}
    axes = [axis for axis in grid if targets[axis.key]]
    combined = []
    for values in itertools.product(*(axis.values for axis in axes)):
        settings = tuple((axis.key, value) for axis, value in zip(axes, values))
        options: dict[str, list[str]] = {'cfg': [], 'mix': []}
        for key, value in settings:
            kind, real = targets[key]
            options[kind].append(f'{real}={value}')
        combined.append(
            Choice(config, settings, tuple(options['cfg']), tuple(options['mix']))
        )
    return combined


def _target(config: str, content: Config, key: str) -> tuple[str, str] | None:
    """Which option of the commands sets a key; None if it does not concern a config.

    Raises:
        KeyError: If the config has no place for the key.
    """
    real = key
    if key.startswith(MIX):
        name = key.removeprefix(MIX)
        if has_method(config):
            return 'mix', name
        mixer = _own_mixer(config, content, key)
        if mixer is None:
            return None
        real = f'{mixer}.{name}'
    missing = missing_place(content.to_dict(), real)
    if missing:  # mmengine would make it up in silence
        raise KeyError(f'{config}: {missing}')
    return 'cfg', real


def _own_mixer(config: str, content: Config, key: str) -> str | None:
    """Where a config has its mixer, as a key; None if it has none.

    Raises:
        ValueError: If it has several, of which each may be meant.
    """
    places = [mixer.place for mixer in placed_mixers(content)]
    if len(places) > 1:
        raise ValueError(
            f'--grid {key}: {config} has several mixers, {", ".join(places)}; give '
            'the whole key of one, or for all of them a baseline as CONFIG+METHOD'
        )
    return re.sub(r'\[(\d+)\]', r'.\1', places[0]) if places else None


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets and quotes."""
    parts, depth, quote, start = [], 0, '', 0
    for place, letter in enumerate(text):
        if quote:
            quote = '' if letter == quote else quote
        elif letter in '\'"':
            quote = letter
        elif letter in '[({':
            depth += 1
        elif letter in '])}':
            depth -= 1
        elif letter == ',' and not depth:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _in_file_name(value: str) -> str:
    """A value as a part of a folder's name."""
    return re.sub(r'[^\w.+-]+', '_', value).strip('_')
