"""What made the runs of a study, on which their numbers depend beside the config."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from mmmix.apis.stack import REQUIREMENTS
from mmmix.studies.digests import blocks, digest
from mmmix.version import __version__

Maker = dict[str, str]
"""Versions, the sources of mmmix, processor and threads; what is known of them."""

MADE_BY = 'made_by'
"""Where in a record its makers are, those of a run that went on by turns."""

_PACKAGE = Path(__file__).parents[2]
_MOST_NAMES = 4


def present_maker(threads: int, here: bool = True) -> Maker:
    """What makes a run that begins now.

    Args:
        threads: Of each run's numerical libraries, by which sums are split.
        here: Whether it is made on this machine; the processor of another is not known.
    """
    modules = ('torch', *(requirement.module for requirement in REQUIREMENTS))
    versions = {name: str(import_module(name).__version__) for name in modules}
    found = {
        'mmmix': __version__,
        'sources': _sources(),
        'commit': _commit(),
        **versions,
        'processor': _processor() if here else '',
        'threads': str(threads),
    }
    return {key: value for key, value in found.items() if value}


def made_unlike(records: Mapping[str, Mapping[str, Any]]) -> str:
    """A line on runs that stand in one table and were made by different things.

    A commit alone is no difference, the sources are. What a record does not say, as
    those of older versions, is passed over.

    Args:
        records: Of the runs of the table, by name.

    Returns:
        What differs and in which runs; an empty text if nothing does.
    """
    makers = {name: record.get(MADE_BY) or [] for name, record in records.items()}
    keys = _differing(maker for turns in makers.values() for maker in turns)
    names: dict[str, list[str]] = {}
    for name, turns in makers.items():
        text = _told(turns, keys)
        if text:
            names.setdefault(text, []).append(name)
    if not names:
        return ''
    first, *others = sorted(names, key=lambda text: -len(names[text]))
    parts = [f'{text}: {", ".join(names[text])}' for text in others]
    many = len(names[first])
    rest = f'the other {many}' if many > _MOST_NAMES else ', '.join(names[first])
    parts.append(f'{first}: {rest}')
    return f'Not all runs were made alike, and may differ by that: {"; ".join(parts)}.'


def _differing(makers: Iterable[Maker]) -> list[str]:
    values: dict[str, set[str]] = {}
    for maker in makers:
        for key, value in maker.items():
            values.setdefault(key, set()).add(value)
    keys = [key for key, found in values.items() if len(found) > 1 and key != 'commit']
    return [*keys, 'commit'] if 'sources' in keys else keys


def _told(turns: Sequence[Maker], keys: Sequence[str]) -> str:
    """The makers of a run in words, by what differs among those of a study."""
    texts = [
        ', '.join(f'{key} {maker[key]}' for key in keys if key in maker)
        for maker in turns
    ]
    return ', then '.join(dict.fromkeys(filter(None, texts)))


def _sources() -> str:
    """A digest of the package, whose version stays the same between two releases."""

    def chunks() -> Iterator[bytes]:
        for path in sorted(_PACKAGE.rglob('*.py')):
            if path.is_file():  # An editor's lock is a link to nowhere.
                yield f'{path.relative_to(_PACKAGE).as_posix()}\n'.encode()
                yield from blocks(path)

    return digest(chunks(), 12)


def _commit() -> str:
    """The commit of a checkout; empty for a package that git does not know.

    mmengine's ``get_git_hash`` gives that of the working directory.
    """
    # A package in an environment may lie within the checkout of something else.
    if not _git('ls-files', '--', '__init__.py'):
        return ''
    changed = ' with changes' if _git('status', '--porcelain', '--', '.') else ''
    return f'{_git("rev-parse", "--short=12", "HEAD")}{changed}'


def _git(*words: str) -> str:
    """What git says of the package; nothing where it fails, or is not there."""
    try:
        ended = subprocess.run(
            ['git', *words],
            cwd=_PACKAGE,
            env={**os.environ, 'GIT_OPTIONAL_LOCKS': '0'},
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ''
    return ended.stdout.strip()


def _processor() -> str:
    """The kind of processor; empty where torch is too old to tell."""
    if torch.cuda.is_available():
        return 'GPU'  # To ask for its name would take memory of it.
    cpu = getattr(torch.backends, 'cpu', None)
    return cpu.get_cpu_capability() if cpu else ''
