"""How the commands of ``tools/`` end when they are interrupted."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

from mmmix.engine.stop_signals import Stopped, stop_signals

RESUMABLE = 'stopped; the same command goes on from here'


def run_command(main: Callable[[], Any], stopped: str = 'stopped') -> None:
    """Run a command; a signal ends it with a line instead of a traceback.

    Args:
        main: The command.
        stopped: What to say after Ctrl-C or SIGTERM, on the error stream.

    Raises:
        Stopped: With code 130 after Ctrl-C, 143 after SIGTERM.
    """
    try:
        with stop_signals():
            main()
    except (KeyboardInterrupt, Stopped) as cause:
        sys.stderr.write(f'\n{stopped}\n')
        if isinstance(cause, Stopped):
            raise
        raise Stopped(signal.SIGINT) from None
