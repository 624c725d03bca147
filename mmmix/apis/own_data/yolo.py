"""Folders with labels in YOLO's text files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from mmmix.layouts.endings import check_names, that_end_in
from mmmix.layouts.first_few import first_few
from mmmix.layouts.image_files import SUFFIXES
from mmmix.layouts.lists import read_list
from mmmix.layouts.yolo import label_file, read_data_yaml, read_labels, read_names

from .layout import Item, Layout, Split, checked_key, split_around
from .lists import stated_lists
from .yolo_names import NAME_FILES, YAML_NAMES, check_other_names, yaml_with_names

_MOST_CLASSES = 99_999
"""A greater number in a label file is a mistake, not one of so many classes."""
_LISTS = {'train': ('train',), 'val': ('val', 'valid'), 'test': ('test',)}


class YOLOLayout(Layout):
    """Text files with one line a box, with or without ``data.yaml``."""

    kind = 'yolo'
    dataset = 'YOLODataset'
    needs_list = False

    @classmethod
    def evidence(cls, files: Sequence[Path]) -> Path | None:
        """A ``data.yaml`` with names, or a label file."""
        path = yaml_with_names(files)
        if path is not None:
            return path
        images = {path for path in files if path.suffix.lower() in SUFFIXES}
        return next((p for p in map(label_file, sorted(images)) if p.is_file()), None)

    def read(self) -> None:
        """Find names and splits.

        Raises:
            ValueError: If a label file or ``data.yaml`` is broken, two files name the
                classes otherwise, two images have one name, or labels lie where nothing
                looks for them.
            FileNotFoundError: If images to train or validate on are not there.
        """
        called_so = (p for p in self.files if p.name.lower() in YAML_NAMES)
        self._yaml = yaml_with_names(self.files) or next(called_so, None)
        content = read_data_yaml(self._yaml) if self._yaml else {}
        self._names = content.get('names') or self._listed_names()
        check_other_names(self._names, self.files)
        if any(content.get(key) for key in ('train', 'val', 'valid')):
            content.setdefault('val', content.get('valid'))
            for name in ('train', 'val', 'test'):
                if content.get(name):
                    self.add_split(name, partial(self._stated, content[name], content))
        else:
            self._find_splits()
        drawn = {name: self._drawn(name) for name in ('train', 'val')}
        self.keep_drawn(drawn, self._of_list)
        self._check_names()
        self._note_faults()

    def classes(self, train: Split) -> tuple[str, ...]:
        """The names, in the order of the ids."""
        return tuple(self._names)

    def listed(self, name: str, split: Split) -> tuple[Path, str, dict[str, Any]]:
        """A list of paths of images."""
        path = self._drawn(name)
        text = ''.join(f'{item.key}\n' for item in split.items)
        return path, text, dict(ann_file=self.relative(path))

    def _drawn(self, name: str) -> Path:
        """The list that the images of a split are written to."""
        return self.root / f'mmmix_{name}.txt'

    def _listed_names(self) -> list[str]:
        """The names of a text file, else numbers as names."""
        for path in self.files:
            if path.name.lower() in NAME_FILES:
                return read_names(path)
        most = -1
        for image in self.images:
            found = max(read_labels(label_file(image)).ids, default=-1)
            if found > _MOST_CLASSES:
                raise ValueError(
                    f'{label_file(image)} has a box of class {found}, and no data.yaml '
                    f'or {NAME_FILES[0]} has names; correct the number, or write '
                    f'{NAME_FILES[0]} with a name a line'
                )
            most = max(most, found)
        self.notes.append(
            f'no data.yaml or {NAME_FILES[0]} tells the names of the classes: they '
            f'are called by their numbers; write {NAME_FILES[0]} with a name a line'
        )
        return [str(name) for name in range(most + 1)]

    def _stated(self, value: Any, content: dict) -> Split:
        """A split of ``data.yaml``: a folder, a list, or several of them."""
        values = value if isinstance(value, list) else [value]
        places = [self._resolved(str(one), content) for one in values]
        lists = [place for place in places if place.is_file()]
        if len(places) == 1 and lists:
            return self._of_list(places[0])
        images = [p for p in self.images if any(q in p.parents for q in places)]
        for path in lists:
            images += [item.image for item in self._of_list(path).items]
        return self._of_folder(places[0], list(dict.fromkeys(images)), len(places))

    def _resolved(self, value: str, content: dict) -> Path:
        """The folder or list that ``data.yaml`` names.

        Raises:
            FileNotFoundError: If it is nowhere.
        """
        beside = self._yaml.parent
        # Some exporters write '../train/images' for a folder beside data.yaml.
        inner = value.removeprefix('./').removeprefix('../')
        tries = [beside / str(content.get('path') or '') / value]
        tries += [self.root / value, beside / inner, self.root / inner]
        for path in tries:
            if path.exists():
                return self._below_root(path)
        raise FileNotFoundError(
            f'{self._yaml} names {value!r}, and there is no '
            + ' or '.join(map(str, dict.fromkeys(tries)))
            + '; correct it'
        )

    def _below_root(self, path: Path) -> Path:
        """A path as those of the images are written, if it lies in the folder."""
        for full in (os.path.abspath, os.path.realpath):
            inside = Path(os.path.relpath(full(path), full(self.root)))
            if '..' not in inside.parts and (self.root / inside).exists():
                return self.root / inside
        return path

    def _find_splits(self) -> None:
        """Splits by lists, or by the names of folders."""
        lists = [p for p in that_end_in(self.files, '.txt') if _is_list(p)]
        found, others = stated_lists(lists, {self.root}, _LISTS)
        self.note('lists are not read', others, f'those in {self.root} count')
        for name, path in found.items():
            self.add_split(name, partial(self._of_list, path))
        if 'train' in self.splits:
            return
        folders: dict[str | None, dict[Path, list[Path]]] = {}
        for image in self.images:
            name = split_around(image.parent, self.root)
            folders.setdefault(name, {}).setdefault(image.parent, []).append(image)
        rest = folders.pop(None, {})
        # Without any to train on, those of a test would be trained on, too.
        if 'train' in folders or len(folders) > 1 or (folders and rest):
            for name, places in folders.items():
                images = [image for some in places.values() for image in some]
                self.splits[name] = self._of_folder(min(places), images, len(places))
        if not self.splits:
            self.splits = {'all': self._of_folder(self.root, self.images, 1)}

    def _of_list(self, path: Path) -> Split:
        """The images of a list.

        Exporters write ``data/a/b.jpg`` for ``a/b.jpg``, or where the images were on
        another machine: what all lines begin with is left out, if images are there
        then, and the list is to be written anew.

        Raises:
            FileNotFoundError: If none of them is there.
        """
        names = read_list(path)
        paths, start = [self.root / name for name in names], None
        if not any(map(Path.is_file, paths)):
            paths, start = self._from_elsewhere(names) or (paths, None)
        there = [image for image in paths if image.is_file()]
        if not there:
            raise FileNotFoundError(
                f'{path} names {len(paths)} images, and none is there; write paths '
                f'from {self.root} on, one a line'
            )
        missing = [image for image in paths if not image.is_file()]
        self.note(f'images of {path} are not there', missing, 'delete their lines')
        if start is not None:
            self.notes.append(f'{path}: {start!r} is left out of its paths')
            return Split(self._items(there), {})
        return Split(self._items(there), dict(ann_file=self.relative(path)))

    def _from_elsewhere(self, names: Sequence[str]) -> tuple[list[Path], str] | None:
        """The files without the folders that all of them begin with, and these.

        None if no file is there without them, however many are left out.
        """
        parts = [PurePosixPath(name.replace('\\', '/')).parts for name in names]
        common = os.path.commonprefix([some[:-1] for some in parts])
        for count in range(len(common) + 1):
            paths = [self.root.joinpath(*some[count:]) for some in parts]
            if any(map(Path.is_file, paths)):
                return paths, PurePosixPath(*common[:count]).as_posix()
        return None

    def _of_folder(self, folder: Path, images: Sequence[Path], folders: int) -> Split:
        """Images of one folder; those of several need a list.

        Raises:
            FileNotFoundError: If there is none.
        """
        items = self._items(images)
        if not items:
            raise FileNotFoundError(
                f'{folder} has no image; add them, or correct data.yaml'
            )
        if folders > 1 or folder == self.root:
            return Split(items, {})
        return Split(items, dict(data_prefix=dict(img=f'{self.relative(folder)}/')))

    def _items(self, images: Iterable[Path]) -> list[Item]:
        """Images with the names of their objects."""
        return [
            Item(checked_key(self.relative(path), path), path, self._count(path))
            for path in images
        ]

    def _count(self, image: Path) -> Counter:
        """Names of the objects of an image.

        Raises:
            ValueError: If a line cannot be read.
        """
        labels = read_labels(label_file(image), len(self._names))
        if labels.faults:
            raise ValueError(first_few(labels.faults, 3))
        return Counter(self._names[index] for index in labels.ids)

    def _check_names(self) -> None:
        """Make sure that each image has a name of its own."""
        items = [item for split in self.splits.values() for item in split.items]
        check_names((item.image for item in items), 'they would share their labels')

    def _note_faults(self) -> None:
        """Label files without images, and images without label files."""
        items = [item for split in self.splits.values() for item in split.items]
        self.note(
            'images have no label file and count as empty',
            [item.image for item in items if not label_file(item.image).is_file()],
            'label them if there is something to see',
        )
        used = {label_file(path) for path in self.images}
        folders = {path.parent for path in used}
        texts = [path for path in that_end_in(self.files, '.txt') if path not in used]
        self._note_elsewhere([path for path in texts if path.parent not in folders])
        labels = [path for path in texts if path.parent in folders]
        self.note(
            'label files have no image',
            [path for path in labels if _is_label(path)],
            'add the images, or delete them',
        )

    def _note_elsewhere(self, texts: Sequence[Path]) -> None:
        """Note label files that lie where those of their images are not looked for.

        Raises:
            ValueError: If no image has another one.
        """
        bare = {p.stem: p for p in self.images if not label_file(p).is_file()}
        lost = [p for p in texts if p.stem in bare and _is_label(p)]
        if lost and len(bare) == len(self.images):
            image = bare[lost[0].stem]
            raise ValueError(
                f'labels lie where nothing looks for them: {lost[0]} may be those of '
                f'{image}, which would be in {label_file(image)}; move all of them, to '
                'a folder "labels" beside "images" or beside the images'
            )
        self.note(
            'label files lie where those of their images are not looked for',
            lost,
            'move them beside their images, or delete them',
        )


def _is_list(path: Path) -> bool:
    """Whether a text file is a list of images."""
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    return any(Path(line.strip()).suffix.lower() in SUFFIXES for line in lines[:5])


def _is_label(path: Path) -> bool:
    """Whether a text file has the lines of labels."""
    labels = read_labels(path)
    return bool(labels.ids)
