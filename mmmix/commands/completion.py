"""Print a script by which a shell completes subcommands, options and files.

For bash:
  mmmix completion bash > ~/.local/share/bash-completion/completions/mmmix
For zsh, into a folder of $fpath:
  mmmix completion zsh > ~/.zfunc/_mmmix
The next shell that is started uses it. It needs the package shtab.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mmmix.apis.replacing import replaced
from mmmix.commands.console import NAME
from mmmix.commands.subcommands import SUBCOMMANDS

SHELLS = ('bash', 'zsh', 'tcsh')
FILES = ('config', 'configs', 'checkpoint', 'checkpoints', 'folder', 'models')
"""Arguments that are files, besides those that are read as a ``Path``."""


class _Made(Exception):
    """Carries a parser out of the function that makes it."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('shell', choices=SHELLS)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the script.

    Raises:
        ModuleNotFoundError: If shtab is not installed; with the line to type.
    """
    print(script(parse_args(argv).shell))


def script(shell: str) -> str:
    """The script for one of ``SHELLS``.

    Raises:
        ModuleNotFoundError: If shtab is not installed; with the line to type.
    """
    try:
        import shtab
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'it needs the package shtab: pip install shtab', name='shtab'
        ) from error
    root = argparse.ArgumentParser(NAME)
    below = root.add_subparsers()
    for name, command in SUBCOMMANDS.items():
        module = importlib.import_module(f'mmmix.commands.{command.module}')
        made = parser_of(module.parse_args)
        below.add_parser(name, parents=[made], add_help=False, help=command.summary)
        for action in made._actions:
            if action.type is Path or action.dest in FILES:
                action.complete = shtab.FILE
    return shtab.complete(root, shell)


def parser_of(parse_args: Callable[[list[str]], Any]) -> argparse.ArgumentParser:
    """The parser that a function makes and parses with.

    Args:
        parse_args: Of a subcommand; it comes as far as its parser.
    """

    def caught(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        raise _Made(parser)

    try:
        with replaced(argparse.ArgumentParser, 'parse_known_args', caught):
            parse_args([])
    except _Made as made:
        return made.args[0]
    raise TypeError(f'{parse_args} parses nothing; it must use argparse')


if __name__ == '__main__':
    main()
