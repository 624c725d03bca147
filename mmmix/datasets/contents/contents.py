"""Notes on one data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

SHOWN = 10


@dataclass
class Findings:
    """Things to say of a data set: how many, and the first ten in words."""

    count: int = 0
    texts: list[str] = field(default_factory=list)

    def add(self, text: str | Callable[[], str]) -> None:
        """Note one more.

        Args:
            text: What it is; a function is called only if the text will be shown.
        """
        self.count += 1
        if len(self.texts) < SHOWN:
            self.texts.append(text() if callable(text) else text)

    def __str__(self) -> str:
        lines = [f'  {text}' for text in self.texts]
        if self.count > len(lines):
            lines.append(f'  and {self.count - len(lines)} more')
        return '\n'.join(lines)


@dataclass
class Contents:
    """What was found in the annotations of one data set.

    Attributes:
        source: Its annotation file or list.
        labelled: Whether its pipeline reads labels.
        training: Whether it is not in ``test_mode``.
        names: How often each class name occurs, those that the data set drops
            included. All annotations count, before ``filter_cfg`` and ``indices``.
        categories: The names that an annotation file declares, those that are read in
            the order of their labels; None where names stand with the objects alone.
        errors: Faults that must be mended before training.
        warnings: Faults that training survives.
    """

    source: str
    labelled: bool = True
    training: bool = True
    names: Counter = field(default_factory=Counter)
    categories: tuple[str, ...] | None = None
    errors: Findings = field(default_factory=Findings)
    warnings: Findings = field(default_factory=Findings)

    @property
    def known(self) -> set[str]:
        """All names that occur or are declared."""
        return {*self.names, *(self.categories or ())}
