"""Every broken file in COCO format trains, or is refused by a message with its name."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import mmmix  # noqa: F401

from .broken import (
    coco_config,
    coco_content,
    write_coco,
)
from .outcome import TRAINS, check, outcome


def changed(key: str, index: int, **values: object) -> dict:
    """COCO content with an entry changed; the value ``...`` deletes a key."""
    content = copy.deepcopy(coco_content())
    entry = content[key][index]
    entry.update(values)
    content[key][index] = {k: v for k, v in entry.items() if v is not ...}
    return content


def repeated(key: str) -> dict:
    content = coco_content()
    content[key].append(dict(content[key][0]))
    return content


def box(*values: object) -> dict:
    return changed('annotations', 0, bbox=list(values))


COCO_CASES = {
    'as it should be': (coco_content(), TRAINS),
    'cut off': (b'{"images": [', 'train.json: it is not whole JSON'),
    'empty file': (b'', 'train.json: it is not whole JSON'),
    'byte-order mark': (b'\xef\xbb\xbf{}', 'byte-order mark; save it as UTF-8'),
    'UTF-16': ('{}'.encode('utf-16'), 'train.json: it is no UTF-8 text'),
    'deep': (b'[' * 100000, 'train.json is nested too deep'),
    'detections': ([dict(image_id=1)], 'got a list; is it a file of detections?'),
    'no images': ({**coco_content(), 'images': None}, "'images' is NoneType"),
    'no categories': (dict(images=[], annotations=[]), "'categories' is NoneType"),
    'nothing': (dict(images=[], annotations=[], categories=[]), 'names no image'),
    'no annotations': (
        {**coco_content(), 'annotations': []},
        'leaves none of 2 images',
    ),
    'panoptic': (
        changed('annotations', 0, segments_info=[], id=..., category_id=...),
        "it is panoptic: boxes are under 'segments_info'",
    ),
    'entry of text': ({**coco_content(), 'images': ['1.jpg']}, "entry 0 of 'images'"),
    'no id': (changed('annotations', 1, id=...), "entry 1 of 'annotations' has None"),
    'no category': (changed('annotations', 1, category_id=...), "as 'category_id'"),
    'image twice': (repeated('images'), 'image 1 is there twice; give each an id'),
    'annotation twice': (repeated('annotations'), 'annotation 1 is there twice'),
    'category twice': (repeated('categories'), r'category 1 \(cat\) is there twice'),
    'no file name': (changed('images', 0, file_name=...), 'has None as file_name'),
    'no width': (changed('images', 0, width=...), r'image 1 \(1.jpg\) has width None'),
    'infinite width': (changed('images', 0, width=np.inf), 'has width inf'),
    'no such image': (changed('annotations', 0, image_id=9), TRAINS),
    'no such category': (
        changed('annotations', 0, category_id=9),
        'annotation 1 has the category 9, which is none of the file',
    ),
    'no box': (
        changed('annotations', 0, bbox=...),
        r'annotation 1 \(cat, image 1\) has None as bbox; write \[x, y, width,',
    ),
    'box of three': (box(1, 2, 3), r'has \[1, 2, 3\] as bbox'),
    'box of text': (box('5', 6, 25, 34), r"has \['5', 6, 25, 34\] as bbox"),
    'box of null': (box(None, 6, 25, 34), 'as bbox; write'),
    'box of true': (box(True, 6, 25, 34), r'has \[True, 6, 25, 34\] as bbox'),
    'nan': (box(np.nan, 6, 25, 34), r'has \[nan, 6, 25, 34\] as bbox'),
    'inf': (box(5, 6, np.inf, 34), r'has \[5, 6, inf, 34\] as bbox'),
    '1e300': (box(5, 6, 1e300, 34), 'reaches too far'),
    'huge integer': (box(5, 6, 10**400, 34), 'as bbox; write'),
    'float box': (box(5.5, 6.25, 25.1, 34.0), TRAINS),
    'no width of box': (box(5, 6, 0, 34), TRAINS),
    'negative width': (box(30, 6, -20, 34), TRAINS),
    'outside': (box(100, 6, 25, 34), TRAINS),
    'no area': (changed('annotations', 0, area=...), 'has None as area; write width x'),
    'area of text': (changed('annotations', 0, area='8'), "has '8' as area"),
    'crowd': (
        changed(
            'annotations', 0, iscrowd=1, segmentation=dict(counts=[1], size=[1, 1])
        ),
        TRAINS,
    ),
    'one file, two ids': (changed('images', 1, file_name='./1.jpg'), TRAINS),
    'ids with gaps': (changed('images', 0, id=40), TRAINS),
}


@pytest.mark.parametrize('name', COCO_CASES)
def test_files_in_coco_format(name, tmp_path):
    content, message = COCO_CASES[name]
    write_coco(tmp_path, content)
    check(coco_config(tmp_path), message)
    if message:
        assert 'train.json' in outcome(coco_config(tmp_path))
