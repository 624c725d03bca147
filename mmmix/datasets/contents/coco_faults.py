"""What is wrong with a file in COCO format."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .contents import Contents

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
        if not all(_is_number(side) and 0 < side < math.inf for side in size):
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
    for ann in _suspects(annotations, images, categories, repeats):
        where = f'{contents.source}: annotation {ann["id"]!r}'
        if repeats[ann['id']] > 1:
            repeats[ann['id']] = 1  # said once
            contents.errors.add(f'{where} is there twice; give each an id of its own')
        category = ann.get('category_id')
        if ann['image_id'] not in images:
            contents.warnings.add(
                f'{where} is dropped: there is no image {ann["image_id"]!r}'
            )
        elif category not in categories:
            faults.add(
                f'{where} has the category {category!r}, which is none of the file; '
                'add the category, or delete the annotation'
            )
        elif category in read and not ann.get('ignore'):
            where += f' ({categories[category]}, image {ann["image_id"]!r})'
            _note_box(ann, images[ann['image_id']], where, contents)


def _suspects(
    annotations: Sequence[Mapping],
    images: Mapping[Any, Size],
    categories: Mapping[Any, str],
    repeats: Counter,
) -> Sequence[Mapping]:
    """The annotations that must be looked at one by one, found all at once."""
    if not annotations:
        return []
    try:
        boxes = np.array([ann['bbox'] for ann in annotations])
        areas = np.array([ann['area'] for ann in annotations])
    except (KeyError, ValueError, OverflowError):
        return annotations
    shapes = boxes.shape, areas.shape
    kinds = {boxes.dtype.kind, areas.dtype.kind}
    if shapes != ((len(annotations), 4), (len(annotations),)) or kinds - set('if'):
        return annotations
    none = (0.0, 0.0)
    sizes = np.array([images.get(ann['image_id'], none) for ann in annotations])
    fine = np.isfinite(boxes).all(1) & np.isfinite(areas) & (areas > 0)
    fine &= (boxes[:, 2:] >= 1).all(1)
    fine &= (boxes[:, :2] < sizes).all(1) & ((boxes[:, :2] + boxes[:, 2:]) > 0).all(1)
    fine &= np.array([ann.get('category_id') in categories for ann in annotations])
    if len(repeats) < len(annotations):
        fine &= np.array([repeats[ann['id']] == 1 for ann in annotations])
    return [annotations[index] for index in np.flatnonzero(~fine)]


def _note_box(ann: Mapping, size: Size, where: str, contents: Contents) -> None:
    """Note what is wrong with one box that mmdet reads."""
    box = ann.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not _all_finite(box):
        contents.errors.add(
            f'{where} has {box!r} as bbox; write [x, y, width, height] in pixels'
        )
        return
    if not _all_finite([ann.get('area')]):
        contents.errors.add(
            f'{where} has {ann.get("area")!r} as area; write width x height of its '
            'box, or the area of its mask'
        )
        return
    x, y, width, height = box
    seen = min(x + width, size[0]) > max(x, 0) and min(y + height, size[1]) > max(y, 0)
    if width < 1 or height < 1 or ann['area'] <= 0 or not seen:
        contents.warnings.add(
            f'{where} is dropped: bbox {list(box)}, area {ann["area"]:g} in an image '
            f'of {size[0]} x {size[1]} pixels'
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _all_finite(values: Sequence) -> bool:
    try:
        return all(_is_number(value) and math.isfinite(value) for value in values)
    except OverflowError:
        return False
