"""The console command ``mmmix``, which starts before the package itself is imported.

``import mmmix`` registers all it has, which takes torch and ten seconds. What a command
line is asked first needs none of that. So the package is put in place here without
running its ``__init__``; ``register_all`` of :mod:`mmmix.commands.console` runs it for
the commands that train and test.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: Its name and arguments; None takes ``sys.argv``.

    Returns:
        The exit code.
    """
    if 'mmmix' not in sys.modules:
        spec = importlib.util.find_spec('mmmix')
        sys.modules['mmmix'] = importlib.util.module_from_spec(spec)
    from mmmix.commands.console import main

    return main(argv)


if __name__ == '__main__':
    sys.exit(main())
