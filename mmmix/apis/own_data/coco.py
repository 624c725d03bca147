"""Folders with JSON files in COCO format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmmix.layouts.endings import that_end_in
from mmmix.layouts.first_few import first_few

from .coco_file import check_references, load, starts_so
from .image_folders import chosen_folder
from .layout import Item, Layout, Split, checked_key, split_around, split_name

_OURS = {name: f'.mmmix_{name}' for name in ('train', 'val')}
"""What the names of files end in that a split was written to."""


class COCOLayout(Layout):
    """One JSON file for all images, or one for each split."""

    kind = 'coco'
    dataset = 'CocoDataset'

    @classmethod
    def evidence(cls, files: Sequence[Path]) -> Path | None:
        """The first JSON file with images and annotations."""
        return next(filter(starts_so, that_end_in(files, '.json')), None)

    def read(self) -> None:
        """Read the files, and find their images.

        Raises:
            ValueError: If files name the same split, or have no objects.
            FileNotFoundError: If no image of a file is there.
        """
        jsons = that_end_in(self.files, '.json')
        every = {path: load(path) for path in jsons if starts_so(path)}
        self._contents = {p: some for p, some in every.items() if some['annotations']}
        self._note_unread(jsons, [path for path in every if path not in self._contents])
        ours = [p for p in self._contents if p.stem.endswith(tuple(_OURS.values()))]
        paths = [path for path in self._contents if path not in ours]
        for path in paths:
            name = self._name(path, len(paths))
            if name in self.splits:
                raise ValueError(
                    f'{path} and another file are both for {name}; take one of them '
                    'out of the folder, or put "train" and "val" into their names'
                )
            self.add_split(name, partial(self._split, path, name))
        self._keep_drawn(ours)

    def classes(self, train: Split) -> tuple[str, ...]:
        """The categories that occur, in the order of the file.

        Raises:
            ValueError: If files order them otherwise, or two are called the same.
        """
        first, *others = (
            self.root / split.settings['ann_file']
            for split in [train, *self.splits.values()]
        )
        names = self._categories(first)
        unused = [name for name in names if name not in train.names]
        self.note('categories have no object and are left out', unused, 'that is all')
        classes = tuple(name for name in names if name in train.names)
        for path in others:
            order = tuple(name for name in self._categories(path) if name in classes)
            if order != classes:
                raise ValueError(
                    f'labels follow the order of the categories in a file: {first} has '
                    f'{", ".join(classes)}, and {path} has {", ".join(order)}; write '
                    'the same categories in the same order into both'
                )
        return classes

    def listed(self, name: str, split: Split) -> tuple[Path, str, dict[str, Any]]:
        """A file with the images of a new split, beside the old one."""
        source = self.root / split.settings['ann_file']
        content = self._contents[source]
        ids = {item.key for item in split.items}
        part = {
            **content,
            'images': [image for image in content['images'] if image['id'] in ids],
            'annotations': [
                ann for ann in content['annotations'] if ann['image_id'] in ids
            ],
        }
        path = _drawn(source, name)
        self._contents[path] = part
        settings = {**split.settings, 'ann_file': self.relative(path)}
        return path, json.dumps(part), settings

    def _keep_drawn(self, ours: Sequence[Path]) -> None:
        """Take the images of files that were drawn, with their labels of today."""
        whole = self.whole
        if whole is None or 'val' in self.splits:
            return
        source = self.root / whole.settings['ann_file']
        files = {name: _drawn(source, name) for name in _OURS}
        if not set(files.values()) <= set(ours):
            return
        folder = self.root / whole.settings['data_prefix']['img']
        parts, stale = {}, {}
        for name, path in files.items():
            images = {folder / i['file_name'] for i in self._contents[path]['images']}
            items = [item for item in whole.items if item.image in images]
            before = self._contents[path]
            _, text, settings = self.listed(name, Split(items, whole.settings))
            parts[path] = Split(items, settings)
            if self._contents[path] != before:
                stale[path] = text
        if all(part.items for part in parts.values()):
            self.keep_drawn(files, parts.__getitem__)
            self.renewed = stale
            self.note('lists are written again', stale, f'{source} has changed')

    def _note_unread(self, jsons: Sequence[Path], empty: Sequence[Path]) -> None:
        """Say which files hold no labels.

        Args:
            jsons: All JSON files.
            empty: Those in COCO format without annotations.

        Raises:
            ValueError: If it is all of them, or one is called after a split whose
                labels are needed.
        """
        if not self._contents:
            raise ValueError(
                f'{first_few(empty, 3)}: no annotations; label the images, '
                'or give a labelled folder and these by --unlabelled'
            )
        for path in empty:
            if self._name(path, 1) in ('train', 'val'):
                raise ValueError(
                    f'{path} has no annotations; label its images, or take the file '
                    'out of the folder: then a part of the others is drawn in its place'
                )
        self.note('JSON files have no annotations', empty, 'their images are not used')
        strange = [path for path in jsons if path not in {*self._contents, *empty}]
        self.note(
            'JSON files are not in COCO format and are not read',
            strange,
            'if they hold labels, export them as COCO',
        )

    def _categories(self, path: Path) -> list[str]:
        """Names in the order of a file.

        Raises:
            ValueError: If two are the same.
        """
        names = [item['name'] for item in self._contents[path]['categories']]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise ValueError(
                f'{path} has several categories called {twice}; give each a name of '
                'its own, or its objects the id of one'
            )
        return names

    def _name(self, path: Path, count: int) -> str:
        """The split of a file, by its own name or a folder's.

        Raises:
            ValueError: If neither tells.
        """
        name = split_name(path) or split_around(path.parent, self.root)
        if name is None and count > 1:
            raise ValueError(
                f'{count} files are in COCO format, and the name of {path} does not '
                'tell its split; put "train", "val" or "test" into it, or into that of '
                'a folder around it'
            )
        return name or 'all'

    def _split(self, path: Path, name: str) -> Split:
        """Images of the file of a split, with their classes."""
        folder = self._image_folder(path, name)
        content = self._contents[path]
        check_references(path, content)
        names = {category['id']: category['name'] for category in content['categories']}
        counts: dict[Any, Counter] = {}
        for ann in content['annotations']:
            name = names[ann['category_id']]
            counts.setdefault(ann['image_id'], Counter())[name] += 1
        known = {image['id'] for image in content['images']}
        self.note(
            f'annotations of {path} are of no image of the file',
            [
                ann.get('id')
                for ann in content['annotations']
                if ann['image_id'] not in known
            ],
            'add the images to it, or delete them',
        )
        items = []
        for image in content['images']:
            file = folder / checked_key(image['file_name'], path)
            items.append(Item(image['id'], file, counts.get(image['id'], Counter())))
        files = Counter(item.image for item in items)
        self.note(
            f'images of {path} have several ids',
            [file for file, count in files.items() if count > 1],
            'give each one id, with the labels of all: the labels of one id are '
            'background to the other',
        )
        present = set(self.images)
        self.note(
            f'images of {path} are not in {folder}',
            [item.image for item in items if item.image not in present],
            'add them, or take them out of the file',
        )
        prefix = '' if folder == self.root else f'{self.relative(folder)}/'
        settings = dict(ann_file=self.relative(path), data_prefix=dict(img=prefix))
        return Split(items, settings)

    def _image_folder(self, path: Path, split: str) -> Path:
        """The folder that the names of a file begin in.

        Raises:
            FileNotFoundError: If no image of the file is there.
            ValueError: If nothing tells which of several folders is meant.
        """
        images = self._contents[path]['images']
        called_so: dict[str, list[Path]] = {}
        for image in self.images:
            called_so.setdefault(image.name, []).append(image)
        found: dict[Path, dict[Path, Mapping]] = {}
        for image in images:
            name = Path(image['file_name'])
            parts = len(name.parts)
            for file in called_so.get(name.name, ()):
                if file.parts[-parts:] == name.parts:
                    found.setdefault(Path(*file.parts[:-parts]), {})[file] = image
        if found:
            fix = 'write the folder into each file_name'
            return chosen_folder(path, found, _size, split, self.root, fix)
        example = images[0]['file_name'] if images else 'none'
        called = example.replace('\\', '/').rpartition('/')[2]
        plain = called.casefold()
        there = next((p for p in self.images if p.name.casefold() == plain), None)
        fix = (
            f'but {there} is; write its file_name as {there.name!r}, and others alike'
            if there
            else 'add the images to the folder'
        )
        raise FileNotFoundError(
            f'{path} names {len(images)} images, such as {example!r}, and none of them '
            f'is below {self.root}; {fix}'
        )


def _drawn(source: Path, name: str) -> Path:
    """The file that the images of a split of another file are written to."""
    return source.with_name(f'{source.stem}{_OURS[name]}.json')


def _size(image: Mapping) -> tuple[Any, Any]:
    """(width, height) in pixels that an image is said to have."""
    return image.get('width'), image.get('height')
