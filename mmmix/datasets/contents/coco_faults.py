"""What is wrong with a file in COCO format."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .contents import Contents, Findings

Size = tuple[float, float]

_KEYS = {
    'images': ('id',),
    'annotations': ('id', 'image_id', 'category_id'),
    'categories': ('id',),
}


def outline_fault(content: Any) -> str | None:
    """What of COCO's outline is not there; None if all is.

    ``annotations`` may be missing, as in files of images without labels.
    """
    if not isinstance(content, dict):
        return (
            f'expected an object with {", ".join(_KEYS)}, got a '
            f'{type(content).__name__}; is it a file of detections?'
        )
    if _is_panoptic(content.get('annotations')):
        return (
            "it is panoptic: boxes are under 'segments_info'; read it by "
            "type='CocoPanopticDataset', or take the file of instances"
        )
    for name in _KEYS:
        items = content.get(name, [] if name == 'annotations' else None)
        if not isinstance(items, list):
            kind = type(items).__name__
            return f'{name!r} is {kind}, expected a list; export it again'
    return None


def entry_fault(content: Mapping[str, list]) -> str | None:
    """The first entry that has not the form that pycocotools needs."""
    for name, keys in _KEYS.items():
        for number, item in enumerate(content.get(name, [])):
            fault = _item_fault(item, keys)
            if fault:
                return f'entry {number} of {name!r} {fault}; correct it'
    return None


def _is_panoptic(annotations: Any) -> bool:
    """Whether boxes lie one level deeper, by segments."""
    first = annotations[0] if isinstance(annotations, list) and annotations else None
    return isinstance(first, dict) and 'segments_info' in first


def _item_fault(item: Any, keys: Sequence[str]) -> str | None:
    """What is wrong with the form of an entry."""
    if not isinstance(item, dict):
        return f'is {type(item).__name__}, expected an object'
    for key in keys:
        if not isinstance(item.get(key), (int, float, str)):
            return f'has {item.get(key)!r} as {key!r}'
    return None


def note_images(images: Sequence[Mapping], contents: Contents) -> dict[Any, Size]:
    """Note what is wrong with the images.

    Returns:
        (width, height) by id.
    """
    sizes: dict[Any, Size] = {}
    for image in images:
        where = f'{contents.source}: image {image["id"]!r}'
        if image['id'] in sizes:
            contents.errors.add(f'{where} is there twice; give each an id of its own')
        if not isinstance(image.get('file_name'), str):
            name = image.get('file_name')
            contents.errors.add(f'{where} has {name!r} as file_name; write its name')
        size = image.get('width'), image.get('height')
        if not _all_finite(size) or min(size) <= 0:
            contents.errors.add(
                f'{where} ({image.get("file_name")}) has width {size[0]!r} and height '
                f'{size[1]!r}; write its size in pixels'
            )
        sizes[image['id']] = size
    _note_repeats(images, contents)
    return sizes


def _note_repeats(images: Sequence[Mapping], contents: Contents) -> None:
    """Note files that have several ids, which metrics would count as many times."""
    ids: dict[str, list] = {}
    for image in images:
        name = image.get('file_name')
        if isinstance(name, str):
            ids.setdefault(posixpath.normpath(name), []).append(image['id'])
    faults = contents.warnings if contents.training else contents.errors
    for name, found in ids.items():
        if len(set(found)) > 1:
            faults.add(
                f'{contents.source}: {name!r} stands in it as the images {found}: the '
                'labels of one are background to the other; give it one id, with the '
                'labels of all'
            )


def note_categories(
    categories: Sequence[Mapping], contents: Contents
) -> dict[Any, str]:
    """Note what is wrong with the categories.

    Returns:
        Names by id.
    """
    names: dict[Any, str] = {}
    for category in categories:
        where = f'{contents.source}: category {category["id"]!r}'
        name = category.get('name')
        if not isinstance(name, str):
            contents.errors.add(f'{where} has {name!r} as its name; write one')
        elif category['id'] in names or name in names.values():
            contents.errors.add(f'{where} ({name}) is there twice; delete one')
        names[category['id']] = name
    return names


def note_annotations(
    annotations: Sequence[Mapping],
    images: Mapping[Any, Size],
    categories: Mapping[Any, str],
    read: set,
    contents: Contents,
) -> None:
    """Note what is wrong with the boxes, and which of them mmdet drops.

    Args:
        annotations: Those of the file.
        images: (width, height) by id.
        categories: Names by id.
        read: Ids of the categories that the data set reads.
        contents: Where to note.
    """
    faults = contents.errors if contents.training else contents.warnings
    repeats = Counter(ann['id'] for ann in annotations)

    def say(findings: Findings, ann: Mapping, text: str) -> None:
        findings.add(f'{contents.source}: annotation {ann["id"]!r} {text}')

    for ann in annotations:
        if repeats[ann['id']] > 1:
            repeats[ann['id']] = 1  # said once
            say(contents.errors, ann, 'is there twice; give each an id of its own')
        category, image = ann.get('category_id'), ann['image_id']
        if image not in images:
            say(contents.warnings, ann, f'is dropped: there is no image {image!r}')
        elif category not in categories:
            text = (
                f'has the category {category!r}, which is none of the file; add the '
                'category, or delete the annotation'
            )
            say(faults, ann, text)
        elif category in read and not ann.get('ignore'):
            fault = _box_fault(ann)
            dropped = None if fault else _why_dropped(ann, images[image])
            if fault or dropped:
                findings = contents.errors if fault else contents.warnings
                named = f'({categories[category]}, image {image!r})'
                say(findings, ann, f'{named} {fault or dropped}')


def _box_fault(ann: Mapping) -> str | None:
    """What is wrong with one box that mmdet reads."""
    box = ann.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not _all_finite(box):
        return f'has {box!r} as bbox; write [x, y, width, height] in pixels'
    if not _all_finite([ann.get('area')]):
        return (
            f'has {ann.get("area")!r} as area; write width x height of its box, or '
            'the area of its mask'
        )
    return None


def _why_dropped(ann: Mapping, size: Size) -> str | None:
    """Why mmdet drops a box, if it does."""
    x, y, width, height = ann['bbox']
    seen = min(x + width, size[0]) > max(x, 0) and min(y + height, size[1]) > max(y, 0)
    if seen and width >= 1 and height >= 1 and ann['area'] > 0:
        return None
    return (
        f'is dropped: bbox {[x, y, width, height]}, area {ann["area"]:g} in an image '
        f'of {size[0]} x {size[1]} pixels'
    )


def _all_finite(values: Sequence) -> bool:
    """Whether all are numbers as JSON has them, which ``true`` is none of."""
    try:
        return {*map(type, values)} <= {int, float} and all(map(math.isfinite, values))
    except OverflowError:
        return False
