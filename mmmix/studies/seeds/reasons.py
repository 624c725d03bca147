"""Why a command failed, in one line."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from contextlib import suppress

_ERROR = re.compile(
    r'^(?:\[rank\d+\]: ?)?((?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception)\b.*)'
)
# How torchrun says that a process of it failed, and gloo that another one did: what
# that one said before is the reason.
_CONSEQUENCES = ('ChildFailedError', 'Connection closed by peer', 'Connection reset')
_LONGEST = 200


def reason(lines: Sequence[str], code: int | None) -> str:
    """What a log tells of the failure.

    Args:
        lines: The end of the log, not blank.
        code: The exit code, negative for a signal; None if it is not known.

    Returns:
        The last exception of the log; without one, the signal that ended the command
        or the log's last line.
    """
    found = [match[1] for line in lines if (match := _ERROR.match(line))]
    causes = [text for text in found if not any(c in text for c in _CONSEQUENCES)]
    killed = _signal(code)
    if killed:
        return killed
    text = (causes or found or list(lines) or ['it said nothing'])[-1].strip()
    return text if len(text) <= _LONGEST else f'{text[:_LONGEST]}...'


def _signal(code: int | None) -> str:
    """Which signal an exit code stands for; empty for none."""
    if code is None or 0 <= code <= 128:
        return ''
    with suppress(ValueError):
        name = signal.Signals(-code if code < 0 else code - 128).name
        memory = ', as where memory runs out' if name == 'SIGKILL' else ''
        return f'ended by {name}{memory}'
    return ''
