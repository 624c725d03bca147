"""The console command: finds the subcommand and hands its arguments on."""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmmix.apis.plain_errors import TRACEBACK, plain_errors
from mmmix.commands.subcommands import GROUPS, SUBCOMMANDS
from mmmix.version import __version__

NAME = 'mmmix'


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: Its name and arguments; None takes ``sys.argv``.

    Returns:
        The exit code; 2 if there is no such subcommand.

    Raises:
        SystemExit: With code 1, if mmmix itself refused something; with its text said.
    """
    try:
        try:
            return _run(argv if argv is not None else sys.argv[1:])
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:  # in a command that leaves nothing half done
        sys.stderr.write('\nstopped\n')
        return 128 + signal.SIGINT


def _run(argv: Sequence[str]) -> int:
    """Run one subcommand; see :func:`main`."""
    name, *rest = argv or ['--help']
    if name in ('-h', '--help', 'help'):
        print(overview())
        return 0
    if name == '--version':
        print(f'{NAME} {__version__}')
        return 0
    command = SUBCOMMANDS.get(name)
    if command is None:
        sys.stderr.write(f'{unknown(name)}\n')
        return 2
    # argparse names a program by this, and so does a run that was stopped.
    sys.argv = [f'{NAME} {name}', *rest]
    with _ended_by_ctrl_c():
        if not command.light:
            register_all()
        module = importlib.import_module(f'mmmix.commands.{command.module}')
    try:
        with plain_errors():
            done = getattr(module, 'run', module.main)()
    except SystemExit:
        if {'-h', '--help'} & set(rest):
            print(f'\nexample:\n  {NAME} {name} {command.example}'.rstrip())
        raise
    return done if isinstance(done, int) else 0


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end a process at once that has begun nothing yet.

    Imports take seconds; in them it would end in a traceback, or in nothing, where a
    library takes every exception for one of its own.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def overview() -> str:
    """What there is, in groups."""
    width = max(map(len, SUBCOMMANDS))
    parts = [
        f'usage: {NAME} SUBCOMMAND ...\n\n'
        'Mixup-style regularisation for object detectors on MMDetection 3.x.'
    ]
    for title, group in GROUPS.items():
        lines = [f'  {name:{width}}  {item.summary}' for name, item in group.items()]
        parts.append('\n'.join([f'{title}:', *lines]))
    parts.append(
        f'`{NAME} SUBCOMMAND --help` lists its options. A config is a path, '
        'mmmix::NAME.py\nor mmdet::FOLDER/NAME.py; CONFIG+METHOD is a config with a '
        f'method, as\n`{NAME} configs --methods` lists them. {TRACEBACK}=1 shows where '
        'an error comes from.'
    )
    return '\n\n'.join(parts)


def unknown(name: str) -> str:
    """What to say of a subcommand that there is not."""
    near = difflib.get_close_matches(name.replace('_', '-'), SUBCOMMANDS, n=1)
    hint = f'did you mean `{NAME} {near[0]}`? ' if near else ''
    return (
        f'{NAME}: there is no subcommand {name!r}; {hint}`{NAME} --help` lists all '
        f'{len(SUBCOMMANDS)}'
    )


def register_all() -> None:
    """Run the package's ``__init__``, which registers everything.

    ``mmmix_command`` and ``python -m mmmix`` leave it out.

    Raises:
        SystemExit: If the stack is not there; with what to install.
    """
    package = sys.modules[NAME]
    if 'apply_mix' in vars(package):
        return
    try:
        package.__spec__.loader.exec_module(package)
    except ImportError as error:
        if os.environ.get(TRACEBACK):
            raise
        raise SystemExit(f'{NAME}: {error}') from error
