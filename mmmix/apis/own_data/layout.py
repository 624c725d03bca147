"""What every layout of a folder tells: its images, their classes, and its lists."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from mmmix.layouts.first_few import first_few
from mmmix.layouts.image_files import SUFFIXES


@dataclass
class Item:
    """One image of a data set.

    Attributes:
        key: How the lists of its layout name it.
        image: Its file.
        names: How often each class occurs in it.
        hash: Its perceptual hash, once it is known.
    """

    key: Any
    image: Path
    names: Counter = field(default_factory=Counter)
    hash: int | None = None


@dataclass
class Split:
    """One part of a data set, as a config names it.

    Attributes:
        items: Its images.
        settings: ``ann_file`` and ``data_prefix`` of its data set.
    """

    items: list[Item]
    settings: dict[str, Any]

    @property
    def names(self) -> Counter:
        """How often each class occurs."""
        counts: Counter = Counter()
        for item in self.items:
            counts.update(item.names)
        return counts

    @property
    def with_objects(self) -> list[Item]:
        """The images that are trained on: ``filter_empty_gt`` leaves out the others."""
        return [item for item in self.items if item.names]


class Layout(ABC):
    """A folder in one of the layouts.

    Args:
        root: The folder.
        files: All files below it.

    Attributes:
        splits: The parts that it states itself, by ``'train'``, ``'val'`` and
            ``'test'``; ``'all'`` where it states none.
        notes: What a person should know.
        renewed: Texts, by path, of lists of an earlier draw whose labels have changed.
    """

    kind: ClassVar[str]
    dataset: ClassVar[str]
    """The type of data set that reads it."""
    needs_list: ClassVar[bool] = True
    """Whether the data set reads no folder, only a list."""

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        self.root, self.notes = root, []
        self.files = files
        self.images = [path for path in files if path.suffix.lower() in SUFFIXES]
        self.splits: dict[str, Split] = {}
        self.renewed: dict[Path, str] = {}

    @classmethod
    @abstractmethod
    def evidence(cls, files: Sequence[Path]) -> Path | None:
        """A file that shows that a folder has this layout; None if there is none."""

    @abstractmethod
    def read(self) -> None:
        """Find the splits.

        Raises:
            ValueError, FileNotFoundError: If the folder is not as it should be; with
                the file and the fix.
        """

    @abstractmethod
    def classes(self, train: Split) -> tuple[str, ...]:
        """The classes, in the order of their labels."""

    @abstractmethod
    def listed(self, name: str, split: Split) -> tuple[Path, str, dict[str, Any]]:
        """A list of a new split.

        Args:
            name: Of the split.
            split: Its images, with the settings of the split that they are from.

        Returns:
            The file to write, its text, and the settings of the new split.
        """

    @property
    def whole(self) -> Split | None:
        """What a training and a validation split would be drawn from."""
        return self.splits.get('all', self.splits.get('train'))

    def add_split(self, name: str, read: Callable[[], Split]) -> None:
        """Add a split; that of a test, which no training needs, may be missing.

        Raises:
            FileNotFoundError: If the images of another one are not there.
        """
        try:
            self.splits[name] = read()
        except FileNotFoundError as error:
            if name != 'test':
                raise
            self.notes.append(f'there is no test split: {error}')

    def keep_drawn(
        self, lists: Mapping[str, Path], read: Callable[[Path], Split]
    ) -> None:
        """Take the lists that were drawn before, where the folder has no others.

        Those of other images than it now trains on are left, to be drawn anew.

        Args:
            lists: For training and validation, as ``listed`` names them.
            read: Gives the split of one.
        """
        if {'train', 'val'} <= self.splits.keys():
            return
        whole = self.whole
        if whole is None or not set(lists.values()) <= set(self.files):
            return
        drawn = {name: read(path) for name, path in lists.items()}
        images = {item.image for split in drawn.values() for item in split.items}
        before = [item.image for item in whole.items]
        if not images <= set(before):
            return
        self.splits.pop('all', None)
        self.splits.update(drawn)
        some = ' and '.join(map(str, lists.values()))
        self.note(
            f'images are in neither of {some} and are left out',
            [image for image in before if image not in images],
            'delete both lists to draw them anew',
        )

    def relative(self, path: Path) -> str:
        """A path below the folder, with a slash between its parts."""
        return Path(os.path.relpath(path, self.root)).as_posix()

    def note(self, what: str, paths: Iterable[object], fix: str) -> None:
        """Note something of some files, if there are any."""
        paths = [str(path) for path in paths]
        if paths:
            self.notes.append(f'{len(paths)} {what}: {first_few(paths, 3)}; {fix}')


def split_name(path: Path) -> str | None:
    """The split that a file or folder is named after; None if it is after none."""
    words = ''.join(c if c.isalpha() else ' ' for c in path.stem.lower()).split()
    for word in words:
        if word in _NAMES:
            return _NAMES[word]
    return None


def split_around(folder: Path, root: Path) -> str | None:
    """The split that a folder is named after, else the nearest one around it.

    What the whole is called, ``data/test`` for one, tells nothing of its parts.
    """
    parts = reversed(Path(os.path.relpath(folder, root)).parts)
    return next(filter(None, (split_name(Path(part)) for part in parts)), None)


_NAMES = {
    'train': 'train',
    'trainval': 'train',
    'training': 'train',
    'val': 'val',
    'valid': 'val',
    'validation': 'val',
    'test': 'test',
    'testing': 'test',
}


def checked_key(name: str, path: Path) -> str:
    """A name that can stand on a line of a list.

    Raises:
        ValueError: If it cannot.
    """
    if name != name.strip() or '\n' in name or '\r' in name:
        raise ValueError(
            f'the file {str(path)!r} has a line break or a space at an end of its '
            'name, which no list of images can hold; rename it'
        )
    return name
