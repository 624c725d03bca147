"""Which folder labels mean where several hold images of the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmmix.layouts.image_files import read_header

from .layout import split_around

_LOOKED_AT = 10
"""Images whose size is compared with what labels state."""


def chosen_folder(
    labels: Path,
    found: Mapping[Path, Mapping[Path, Any]],
    size: Callable[[Any], tuple[Any, Any] | None],
    split: str | None,
    root: Path,
    fix: str,
) -> Path:
    """The folder whose images some labels mean.

    That is the one named after their split, and least the one named after another; of
    several the one that has most of their images; then the one whose images are as
    large as they state.

    Args:
        labels: A file or folder of labels.
        found: By folder, at least one: its images that are called as the labels name
            them, each with its own label.
        size: Gives the (width, height) in pixels that a label states, if it does.
        split: Of the labels; None or ``'all'`` if they have none.
        root: The folder of the data set.
        fix: What else to do, for a person to read.

    Raises:
        ValueError: If several folders are alike in all of this.
    """

    def rank(folder: Path) -> tuple[int, int]:
        return _named(split_around(folder, root), split), len(found[folder])

    highest = max(map(rank, found))
    best = sorted(folder for folder in found if rank(folder) == highest)
    if len(best) > 1:
        best = [folder for folder in best if _fits(found[folder], size)] or best
    if len(best) > 1:
        raise ValueError(
            f'each of {", ".join(map(str, best))} has {highest[1]} images that '
            f'{labels} may mean; take the folders that do not belong to it out of '
            f'{root}, or {fix}'
        )
    return best[0]


def _named(name: str | None, split: str | None) -> int:
    """1 for a folder named after a split, -1 for one after another, else 0."""
    if name is None or split in (None, 'all'):
        return 0
    return 1 if name == split else -1


def _fits(
    images: Mapping[Path, Any], size: Callable[[Any], tuple[Any, Any] | None]
) -> bool:
    """Whether most of the first images are as large as their labels state."""
    some = sorted(images)[:_LOOKED_AT]
    fitting = 0
    for path in some:
        header = read_header(str(path), max_pixels=None)
        # Labels may be of the image as stored or as EXIF turns it.
        if header is not None and size(images[path]) in (header[:2], header.shown):
            fitting += 1
    return 2 * fitting > len(some)
