"""Nothing of mmmix but this family needs mmpretrain, or imports it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import mmmix

PACKAGE = Path(mmmix.__file__).parent
FAMILY = ('mmpretrain', 'mmmix.classification')

WITHOUT = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'mmpretrain':
            raise ModuleNotFoundError(f'No module named {name!r}', name='mmpretrain')

sys.meta_path.insert(0, Blocked())
import mmmix, mmmix.commands
for module in pkgutil.iter_modules(mmmix.commands.__path__):
    importlib.import_module(f'mmmix.commands.{module.name}')
assert not [name for name in sys.modules if name.startswith('mmmix.classification')]
try:
    import mmmix.classification
except ImportError as error:
    print(error)
"""


def imports_at_load(path: Path) -> set[str]:
    """What a file imports when it is loaded, functions left out."""
    found, nodes = set(), list(ast.parse(path.read_text(encoding='utf-8')).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f'{node.module}.{alias.name}' for alias in node.names}
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            nodes += ast.iter_child_nodes(node)
    return found


def test_no_other_room_imports_it_when_loaded():
    others = [
        path
        for path in PACKAGE.rglob('*.py')
        if path.relative_to(PACKAGE).parts[0] != 'classification'
    ]
    assert len(others) > 100
    for path in others:
        assert not [name for name in imports_at_load(path) if name.startswith(FAMILY)]


def test_mmmix_and_its_commands_work_without_and_the_family_says_what_it_needs():
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert (
        'mmmix.classification needs mmpretrain, which is not installed' in done.stdout
    )
    assert "pip install 'mmmix[classification]'" in done.stdout
