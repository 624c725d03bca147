"""JSON files that are in COCO format, or should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmmix.layouts.first_few import first_few
from mmmix.layouts.whole_json import read_json

_LISTS = re.compile(r'"(annotations|images)"\s*:\s*[\[{]')
"""Not the number of images that the manifest of a data set may have, nor categories
alone, which some programs write beside labels of another layout."""


def starts_so(path: Path) -> bool:
    """Whether a JSON file is an object with lists of COCO; a broken one may be."""
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        start = file.read(1 << 20)
    return start.lstrip().startswith('{') and bool(_LISTS.search(start))


def load(path: Path) -> dict:
    """Read a file.

    Raises:
        ValueError: If it is broken or not in COCO format.
    """
    content = read_json(path)
    fault = next(_faults(content), None)
    if fault:
        raise ValueError(
            f'{path} is not in COCO format: {fault}; export it again, or take it out '
            'of the folder'
        )
    return content


def check_references(path: Path, content: dict) -> None:
    """Make sure that annotations are of categories, and of images, of their file.

    Raises:
        ValueError: If one is of no category, or none is of an image.
    """
    categories = {category['id']: category for category in content['categories']}
    for number, ann in enumerate(content['annotations']):
        if ann.get('category_id') not in categories:
            raise ValueError(
                f'{path}: annotation {number} has {ann.get("category_id")!r} as '
                'category_id, and the ids of its categories are '
                f'{first_few([*map(repr, categories)])}; correct it, or delete the '
                'annotation'
            )
    images = {image['id']: image for image in content['images']}
    annotations = content['annotations']
    if annotations and not any(ann['image_id'] in images for ann in annotations):
        raise ValueError(
            f'{path}: no annotation is of an image of the file; annotation 0 has '
            f'{annotations[0]["image_id"]!r} as image_id, and the ids of its images '
            f'are {first_few([*map(repr, images)], 3)}; correct them'
        )


def _faults(content: Any) -> Iterator[str]:
    """What of COCO's outline is not there."""
    if not isinstance(content, dict):
        yield f'it is a {type(content).__name__}, expected an object'
        return
    for name, keys in {
        'images': ('id', 'file_name'),
        'categories': ('id', 'name'),
        'annotations': ('image_id',),
    }.items():
        entries = content.get(name, [] if name == 'annotations' else None)
        if not isinstance(entries, list):
            yield f'{name!r} is {type(entries).__name__}, expected a list'
            return
        for number, entry in enumerate(entries):
            missing = [k for k in keys if not isinstance(entry, dict) or k not in entry]
            if missing:
                yield f'entry {number} of {name!r} has no {missing[0]!r}'
                return
        content.setdefault(name, [])
    for category in content['categories']:
        if not isinstance(category['name'], str):
            yield f'a category is called {category["name"]!r}; write its name as a text'
    if any('segments_info' in ann for ann in content['annotations'][:1]):
        yield 'it is panoptic, with its boxes under "segments_info"'
