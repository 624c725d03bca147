"""Importing the stack without what it says about parts that nobody asked for."""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from contextlib import redirect_stdout

CHATTER = ('Could not import OneDL',)
"""How lines begin that mmdet prints while it is imported, of optional data sets."""

WARNINGS = (
    'faster_coco_eval is not installed',
    # of libraries that the stack still asks for
    'pkg_resources is deprecated',
)
"""How such warnings begin; the metric that needs the library is not one of ours."""

MODULES = ('mmdet.datasets', 'mmdet.evaluation')


def import_stack_quietly() -> None:
    """Import what talks; anything else that is printed meanwhile is printed after.

    Raises:
        ImportError: As the stack raises it.
    """
    said = io.StringIO()
    try:
        with redirect_stdout(said), warnings.catch_warnings():
            for text in WARNINGS:
                warnings.filterwarnings('ignore', message=text)
            for module in MODULES:
                importlib.import_module(module)
    finally:
        for line in said.getvalue().splitlines(keepends=True):
            if not line.startswith(CHATTER):
                sys.stdout.write(line)
