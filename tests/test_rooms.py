"""Which rooms of the package may import which (CONTRIBUTING, "Rooms")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mmmix'
FLOORS = (
    ('version', 'registry'),
    ('structures', 'functional', 'layouts'),
    ('mixing',),
    ('models', 'datasets', 'testing'),
    ('evaluation', 'visualization'),
    ('engine',),
    ('classification',),
    ('apis',),
    ('studies',),
    ('commands',),
    ('train', 'test', '__init__', '__main__'),
)
"""From the ground up: a room imports those of lower floors and of itself."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imported(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines and modules below ``mmmix`` that a file imports, wherever in it."""
    package = ('mmmix', *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) + 1 - node.level] if node.level else ()
            module = '.'.join((*up, *(node.module or '').split('.'))).strip('.')
            names = [f'{module}.{alias.name}' for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith('mmmix.'):
                yield node.lineno, name


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def upward(path: Path, source: str) -> list[str]:
    """Imports of a file that do not go down."""
    room, found = room_of(path), []
    for line, name in imported(path, ast.parse(source)):
        target = name.split('.')[1]
        # What is no room is a name of the package itself, which imports all of them.
        floor = FLOOR_OF.get(target, FLOOR_OF['__init__'])
        if target != room and floor >= FLOOR_OF[room]:
            found.append(f'{path.name}:{line} imports {name}')
    return found


def test_no_import_runs_upward():
    assert [
        line
        for path in sorted(PACKAGE.rglob('*.py'))
        for line in upward(path, path.read_text(encoding='utf-8'))
    ] == []


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts).removesuffix('.__init__')


def arrows(sources: dict[str, tuple[Path, str]]) -> dict[str, set[str]]:
    """What each module imports of the others, inside of functions too."""
    found = {}
    for module, (path, source) in sources.items():
        names = {name for _, name in imported(path, ast.parse(source))}
        # A name of a module, where it is no module itself.
        targets = {n if n in sources else n.rpartition('.')[0] for n in names}
        found[module] = (targets & sources.keys()) - {module}
    return found


def test_no_import_runs_in_a_circle():
    files = PACKAGE.rglob('*.py')
    sources = {module_of(p): (p, p.read_text(encoding='utf-8')) for p in files}
    list(TopologicalSorter(arrows(sources)).static_order())


def test_circles_are_seen():
    ahead = (PACKAGE / 'x/a.py', 'from mmmix.x import b')
    back = (PACKAGE / 'x/b.py', 'def f():\n    from .a import g')
    sources = {'mmmix.x.a': ahead, 'mmmix.x.b': back}
    with pytest.raises(CycleError):
        list(TopologicalSorter(arrows(sources)).static_order())


@pytest.mark.parametrize(
    ('file', 'line', 'refused'),
    [
        ('models/x.py', 'from mmmix.engine.hooks import StopHook', True),
        ('models/x.py', 'from mmmix import apis', True),
        ('apis/x.py', 'from mmmix import apply_mix', True),
        ('models/x.py', 'import mmmix.datasets.transforms', True),
        ('models/heads/x.py', 'from ...engine import hooks', True),
        ('models/heads/x.py', 'def f():\n    from ... import apis', True),
        ('models/heads/x.py', 'from ..supervisions import Union', False),
        ('models/heads/x.py', 'from . import y', False),
        ('engine/hooks/x.py', 'from mmmix.models import MixBatch', False),
        ('studies/x.py', 'import torch', False),
    ],
)
def test_upward_imports_are_seen(file, line, refused):
    assert bool(upward(PACKAGE / file, line)) == refused
