"""Folders in VOC layout, or with VOC's XML files anywhere beside the images."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmmix.layouts.endings import check_names, that_end_in
from mmmix.layouts.first_few import first_few
from mmmix.layouts.lists import read_list
from mmmix.layouts.namespaces import namespace_fault

from .image_folders import chosen_folder
from .layout import Item, Layout, Split, checked_key, split_around
from .lists import stated_lists

_LISTS = {'train': ('train', 'trainval'), 'val': ('val',), 'test': ('test',)}
_MAIN = ('ImageSets', 'Main')
"""Where VOC has the lists for detection; those beside it are for other tasks."""


class VOCLayout(Layout):
    """XML files, one for each image, with or without lists."""

    kind = 'voc'
    dataset = 'VOCLayoutDataset'

    @classmethod
    def evidence(cls, files: Sequence[Path]) -> Path | None:
        """The first XML file that is an annotation, or is broken."""
        return next(filter(_is_voc, that_end_in(files, '.xml')), None)

    def read(self) -> None:
        """Pair XML files with images; take the lists there are."""
        labels = that_end_in(self.files, '.xml')
        folders = sorted({path.parent for path in labels})
        for folder in folders:
            name = split_around(folder, self.root) if len(folders) > 1 else 'all'
            if name is None or name in self.splits:
                raise ValueError(
                    f'XML files lie in {len(folders)} folders '
                    f'({first_few(folders, 4)}); give the '
                    'folder whose images and annotations belong together'
                )
            here = [path for path in labels if path.parent == folder]
            items = self._items(folder, here)
            self.splits[name] = Split(items, self._settings(folder, items))
        named = {path.stem for path in labels}
        self.note(
            'images have no annotation and are left out',
            [path for path in self.images if path.stem not in named],
            'label them, with an XML file without <object> if there is nothing to see',
        )
        if 'all' in self.splits:
            self._read_lists(self.splits['all'])

    def classes(self, train: Split) -> tuple[str, ...]:
        """The names that occur, in alphabetical order."""
        return tuple(sorted(train.names))

    def listed(self, name: str, split: Split) -> tuple[Path, str, dict[str, Any]]:
        """A list of ids in ``ImageSets/Main``."""
        path = self._drawn(name)
        text = ''.join(f'{item.key}\n' for item in split.items)
        return path, text, {**split.settings, 'ann_file': self.relative(path)}

    def _drawn(self, name: str) -> Path:
        """The list that the images of a split are written to."""
        return self.root.joinpath(*_MAIN, f'mmmix_{name}.txt')

    def _items(self, folder: Path, labels: Sequence[Path]) -> list[Item]:
        """Images of a folder of XML files, with their classes.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If two images, or two files of labels, have one name.
        """
        check_names(labels, 'an image has one file of labels')
        images = self._images_of(folder, labels)
        taken = {image.with_suffix('') for image in images.values()}
        alike = [path for path in self.images if path.with_suffix('') in taken]
        check_names(alike, 'nothing tells which of them the labels are of')
        items, alone = [], []
        for path in labels:
            stem = path.with_suffix('')
            image = images.get(path)
            if image is None:
                alone.append(path)
            else:
                key = checked_key(stem.name, path)
                items.append(Item(key, image, Counter(_names(path))))
        if not items:
            raise FileNotFoundError(
                f'{folder} has {len(alone)} annotations, such as {alone[0]}, and no '
                f'image of such a name is below {self.root}; add the images'
            )
        self.note('annotations have no image and are left out', alone, 'add the images')
        return items

    def _images_of(self, folder: Path, labels: Sequence[Path]) -> dict[Path, Path]:
        """The image of each XML file: beside it, else wherever there is one.

        Raises:
            ValueError: If nothing tells which of several folders is meant.
        """
        beside = {path.with_suffix(''): path for path in self.images}
        apart = {p.stem: p for p in labels if p.with_suffix('') not in beside}
        found: dict[Path, dict[Path, Path]] = {}
        for image in self.images:
            if image.stem in apart:
                found.setdefault(image.parent, {})[image] = apart[image.stem]
        images = {
            path: image for some in found.values() for image, path in some.items()
        }
        if sum(len(set(some.values())) for some in found.values()) > len(images):
            fix = 'put each image beside its XML file'
            split = split_around(folder, self.root)
            one = chosen_folder(folder, found, _size, split, self.root, fix)
            images.update((path, image) for image, path in found[one].items())
        for path in labels:
            if path.with_suffix('') in beside:
                images[path] = beside[path.with_suffix('')]
        return images

    def _settings(self, folder: Path, items: Sequence[Item]) -> dict[str, Any]:
        """Where mmdet finds images and annotations.

        Raises:
            ValueError: If images lie in several folders.
        """
        places = sorted({item.image.parent for item in items})
        if len(places) > 1:
            raise ValueError(
                f'the images of {folder} lie in {len(places)} folders, such as '
                f'{places[0]} and {places[1]}; put each beside its XML file: there no '
                'two have one name'
            )
        settings: dict[str, Any] = dict(data_prefix=dict(sub_data_root=''))
        images, labels = (self.relative(path) for path in (places[0], folder))
        if (images, labels) != ('JPEGImages', 'Annotations'):
            settings.update(img_subdir=images, ann_subdir=labels)
        return settings

    def _read_lists(self, every: Split) -> None:
        """Take the lists of ids that lie in the folder."""
        items = {item.key: item for item in every.items}

        def read(path: Path) -> Split:
            return self._listed_by(path, items, every)

        folders = {path.parent for path in self.files}
        homes = {path for path in folders if path.parts[-len(_MAIN) :] == _MAIN}
        found, others = stated_lists(self.files, homes, _LISTS)
        self.note('lists are not read', others, f'those in {"/".join(_MAIN)} count')
        self.splits = {}
        for name, path in found.items():
            self.add_split(name, partial(read, path))
        if not self.splits:
            self.splits = {'all': every}
        self.keep_drawn({name: self._drawn(name) for name in ('train', 'val')}, read)

    def _listed_by(self, path: Path, items: dict[str, Item], every: Split) -> Split:
        """The split of a list.

        Raises:
            FileNotFoundError: If the list is empty, or none of its ids has an
                annotation.
        """
        ids = read_list(path)
        known = [items[key] for key in ids if key in items]
        if not known:
            raise FileNotFoundError(
                f'{path} names {len(ids)} images, and none of them has an annotation '
                'and an image here; write the ids of images, one a line, without their '
                'ending, or delete the list'
            )
        self.note(
            f'ids of {path} have no annotation or no image',
            [key for key in ids if key not in items],
            'take them out of the list',
        )
        return Split(known, {**every.settings, 'ann_file': self.relative(path)})


def _is_voc(path: Path) -> bool:
    """Whether an XML file is an annotation; a broken one may be."""
    try:
        # with a namespace, which is refused when it is read
        return ET.parse(path).getroot().tag.rpartition('}')[2] == 'annotation'
    except (ET.ParseError, ValueError, LookupError):
        return True


def _size(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels that a file states; None if it states none."""
    try:
        size = ET.parse(path).getroot().find('size')
        return int(size.findtext('width')), int(size.findtext('height'))
    except (ET.ParseError, AttributeError, TypeError, ValueError, LookupError):
        return None


def _names(path: Path) -> list[str]:
    """Classes of the objects in a file.

    Raises:
        ValueError: If it is broken or has a namespace, or a name is missing or has
            blanks around it.
    """
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ValueError(
            f'{path} is not whole XML: {error}; export it again, or delete it'
        ) from error
    fault = namespace_fault(root)
    if fault:
        raise ValueError(f'{path}: {fault}')
    names = [obj.findtext('name') for obj in root.iter('object')]
    for name in names:
        if not name or name != name.strip():
            raise ValueError(
                f'{path}: an object is called {name!r}; write its class into <name>, '
                'without blanks or line breaks around it'
            )
    return names
