"""Drawing that never ends a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text
from mmengine.logging import print_log


class DrawingGuard:
    """Runs what draws pictures; its errors are said once and go no further.

    Pictures are on by default, and no picture is worth a run that trains well. Who
    draws within a step that may be compiled keeps it from being traced
    (``torch.compiler.disable``).

    Args:
        owner: Who draws, for the message.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._said = False

    def __call__(self, draw: Callable[..., Any], *args: Any) -> bool:
        """Draw.

        Args:
            draw: Makes and saves a picture.
            *args: What it is called with.

        Returns:
            Whether it did so without an error.
        """
        try:
            draw(*args)
        except Exception as error:  # whatever it is, the run goes on
            if not self._said:
                print_log(
                    f'{self._owner} cannot draw this ({type(error).__name__}: {error});'
                    ' the run goes on without such pictures, and says so once',
                    logger='current',
                    level=logging.WARNING,
                )
            self._said = True
            return False
        return True


def as_written(figure: Figure) -> None:
    """Show all text of a figure letter by letter.

    Names of methods, classes and files may hold what matplotlib takes for a formula,
    and ends in an error over.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def class_names(metainfo: Any) -> tuple[str, ...] | None:
    """Names of the labels, from the metainfo of any data set.

    Args:
        metainfo: A mapping, or a list of them where the parts of a data set differ,
            as ``ConcatDataset`` has it.

    Returns:
        None where there are no names, or parts have different ones.
    """
    if isinstance(metainfo, Mapping):
        names = metainfo.get('classes')
        return None if names is None else tuple(names)
    if not isinstance(metainfo, Iterable):
        return None
    found = {class_names(part) for part in metainfo}
    return found.pop() if len(found) == 1 else None
