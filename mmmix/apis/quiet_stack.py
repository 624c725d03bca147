"""The stack without what it says of what nobody asked for or can change."""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

CHATTER = ('Could not import OneDL',)
"""How lines begin that mmdet prints while it is imported, of optional data sets."""

WARNINGS = (
    'faster_coco_eval is not installed',
    # of libraries that the stack still asks for
    'pkg_resources is deprecated',
)
"""How such warnings begin; the metric that needs the library is not one of ours."""

DRAWING = r'Warning: The \w+ is out of bounds, the drawn'
"""How the visualizer warns of each box that ends at the edge of its image."""

MODULES = ('mmdet.datasets', 'mmdet.evaluation')


@contextmanager
def drawing_quietly() -> Iterator[None]:
    """Draw boxes up to the edge of an image without a warning of each."""
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message=DRAWING)
        yield


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
