"""How the commands of ``tools/`` end when they are interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

RESUMABLE = 'stopped; the same command goes on from here'


def run_command(main: Callable[[], Any], stopped: str = 'stopped') -> None:
    """Run a command; Ctrl-C ends it with a line instead of a traceback.

    Args:
        main: The command.
        stopped: What to say after Ctrl-C, on the error stream.

    Raises:
        SystemExit: With code 130, after Ctrl-C.
    """
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write(f'\n{stopped}\n')
        raise SystemExit(130) from None
