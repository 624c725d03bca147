"""How the commands of ``tools/`` end when they are interrupted or refused."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.logging import MMLogger

from mmmix.apis.launching.requeue import exit_code_left
from mmmix.apis.other_sources import warn_of_other_sources
from mmmix.apis.plain_errors import plain_errors
from mmmix.apis.quiet_stack import drawing_quietly
from mmmix.engine.stop_signals import Stopped, StopSignals, stop_signals
from mmmix.evaluation.metrics.fast_coco import fast_coco_evaluation
from mmmix.evaluation.metrics.serial_map import serial_eval_map

RESUMABLE = 'stopped; the same command goes on from here'


@contextmanager
def stoppable() -> Iterator[StopSignals]:
    """Let signals end a block in order, in evaluations too, which are fast.

    Raises:
        Stopped: If a signal came; see :func:`stop_signals`.
    """
    warn_of_other_sources()
    with (
        exit_code_left(),
        fast_coco_evaluation(),
        serial_eval_map(),
        drawing_quietly(),
        stop_signals() as signals,
    ):
        yield signals


def run_command(
    main: Callable[[], Any], stopped: str = 'stopped', quiet: bool = False
) -> None:
    """Run a command; a signal, or an error of ours, ends it with a line.

    Args:
        main: The command.
        stopped: What to say after Ctrl-C or SIGTERM, on the error stream.
        quiet: Whether to log warnings alone: building a model lists how every one of
            its parameters starts.

    Raises:
        Stopped: With code 130 after Ctrl-C, 143 after SIGTERM.
        SystemExit: With code 1 after an error of ours.
    """
    if quiet:
        MMLogger.get_current_instance().setLevel('WARNING')
    try:
        with plain_errors(), stoppable():
            main()
    except (KeyboardInterrupt, Stopped) as cause:
        sys.stderr.write(f'\n{stopped}\n')
        if isinstance(cause, Stopped):
            raise
        raise Stopped(signal.SIGINT) from None
