"""Every broken file trains, or is refused by a message with its name and the fix."""

from __future__ import annotations

import copy
import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS

import mmmix  # noqa: F401
from mmmix.datasets.contents import watched_loading

from .broken import (
    coco_config,
    coco_content,
    encoded,
    picture,
    png_head,
    turned,
    voc_config,
    write_coco,
    write_voc,
    xml,
)

TRAINS = None

XML_CASES = {
    'as it should be': (xml(), TRAINS),
    'no object': ('<annotation><size/></annotation>', '<width> of <size> is None'),
    'no object, no size': ('<annotation/>', TRAINS),
    'no size': (xml(size=''), TRAINS),
    'size of text': (
        xml(size='<width>w</width><height>4</height>'),
        "<width> of <size> is 'w'; write a whole number",
    ),
    'size with a point': (
        xml(size='<width>64.0</width><height>48.0</height>'),
        "'64.0'; write a whole number",
    ),
    'size of zero': (
        xml(size='<width>0</width><height>0</height>'),
        'states 0 x 0 pixels; write the size of the image',
    ),
    'cut off': (xml()[:60], 'a.xml is not whole XML: .*; export it again'),
    'empty file': ('', 'a.xml is not whole XML'),
    'a web page': ('<html><br></html>', 'a.xml is not whole XML'),
    'unknown encoding': ('<?xml version="1.0" encoding="x-9"?><a/>', 'a.xml'),
    'entity bomb': (
        '<!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">'
        + ''.join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))
        + ']><annotation>&a9;</annotation>',
        'a.xml is not whole XML',
    ),
    'float coordinates': (xml((5.5, 6.2, 30.9, 40.1)), TRAINS),
    'coordinates from 0': (xml((0, 0, 30, 40)), TRAINS),
    'a little outside': (xml((-3, -2, 66, 49)), TRAINS),
    'other order': (
        xml(
            '<bndbox><xmax>30</xmax><xmin>5</xmin><ymax>40</ymax><ymin>6</ymin></bndbox>'
        ),
        TRAINS,
    ),
    'no difficult': (xml(), TRAINS),
    'empty difficult': (
        xml(more='<difficult/>'),
        r"object 1 \(cat\) has '' as <difficult>; write 0 or 1",
    ),
    'difficult in words': (xml(more='<difficult>no</difficult>'), "has 'no' as"),
    'difficult': (xml(more='<difficult>1</difficult>'), TRAINS),
    'no name': (xml(name=''), 'object 1 has no <name>; write its class'),
    'nan': (xml(('nan', 6, 30, 40)), r"object 1 \(cat\) has 'nan' as <xmin>"),
    'inf': (xml((5, 6, 'inf', 40)), "has 'inf' as <xmax>; write a finite number"),
    '1e300': (xml((5, 6, 1e300, 40)), r'object 1 \(cat\) reaches too far'),
    '1e400': (xml((5, 6, '1e400', 40)), "has '1e400' as <xmax>"),
    'text': (xml((5, 'six', 30, 40)), "has 'six' as <ymin>"),
    'comma': (xml((5, '6,5', 30, 40)), "has '6,5' as <ymin>"),
    'empty corner': (xml((5, '', 30, 40)), "has '' as <ymin>"),
    'no corner': (xml('<bndbox><xmin>1</xmin></bndbox>'), 'has no <ymin> in <bndbox>'),
    'no box': (xml(''), 'has no <bndbox>; draw its box, or delete the object'),
    'inverted': (xml((30, 6, 5, 40)), 'is inverted .*; swap its corners'),
    'no width': (xml((30, 6, 30, 40)), 'has no width or height .*; delete it'),
    'all zero': (xml((0, 0, 0, 0)), 'has no width or height'),
    'outside': (xml((70, 6, 90, 40)), 'lies outside of its image .* in 64 x 48'),
    'far': (
        xml((5, 6, 400, 40)),
        'reaches too far .*; clip it to the image of 64 x 48',
    ),
}

LIST_CASES = {
    'blank line': (b'a\n\n', r'train.txt: line 2 is blank; delete it'),
    'trailing space': (b'a \n', r"line 1, 'a ', has spaces around its name"),
    'carriage returns': (b'a\r\n', TRAINS),
    'byte-order mark': (b'\xef\xbb\xbfa\n', 'byte-order mark; save it as UTF-8'),
    'two columns': (b'a -1\n', "line 1, 'a -1', is more than a name"),
    'extension': (b'a.jpg\n', "'a.jpg', has an extension; write names without"),
    'unknown name': (b'c\n', r'c.xml does not exist, and .*train.txt names its image'),
    'UTF-16': ('a\n'.encode('utf-16'), 'train.txt is no UTF-8 text'),
    'twice': (b'a\na\n', TRAINS),
}


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
    'ids with gaps': (changed('images', 0, id=40), TRAINS),
}

IMAGE_CASES = {
    'gray': (encoded('L', 'JPEG'), TRAINS),
    'CMYK': (encoded('CMYK', 'JPEG'), TRAINS),
    'RGBA': (encoded('RGBA', 'PNG'), TRAINS),
    'palette': (encoded('P', 'PNG', transparency=0), TRAINS),
    'one bit': (encoded('1', 'PNG'), TRAINS),
    '16 bits': (encoded('I;16', 'PNG'), TRAINS),
    'BMP': (encoded('RGB', 'BMP'), TRAINS),
    'WebP': (encoded('RGB', 'WEBP'), TRAINS),
    'cut off': (encoded('RGB', 'JPEG')[:-20], 'is truncated: .*Get the file again'),
    'cut off PNG': (encoded('RGB', 'PNG')[:4000], 'is truncated'),
    'empty file': (b'', 'cannot be decoded .* from its 0 bytes'),
    'text': (b'no image', 'cannot be decoded'),
    'broken stream': (png_head(64, 48, b'broken'), 'cannot be decoded'),
    'broken EXIF': (turned(1).replace(b'Exif\0\0', b'Exif\0\0ZZ', 1), TRAINS),
    'turned': (turned(6), TRAINS),
    'upside down': (turned(3), TRAINS),
    'bomb': (png_head(60000, 60000), '60000 x 60000 pixels, and the limit is'),
    'bomb of one row': (png_head(2**31 - 1, 1), 'and the limit is'),
    'other size': (
        cv2.imencode('.png', picture()[::2, ::2])[1].tobytes(),
        'has 32 x 24 pixels, and its annotation says 64 x 48',
    ),
}


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """As under ``ulimit -v``: a gigabyte more than now, and half a minute."""
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    used = pages * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, limits[1]))
    start = time.monotonic()
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)
    assert time.monotonic() - start < 30


def outcome(config: dict) -> str | None:
    """None if all samples load with boxes that can be learnt from, else the error."""
    try:
        with watched_loading():
            dataset = DATASETS.build(config)
        samples = [dataset[index] for index in range(len(dataset))]
    except (ValueError, OSError) as error:
        return str(error)
    assert samples
    for sample in samples:
        boxes = sample['data_samples'].gt_instances.bboxes.tensor
        assert torch.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes.abs() < 200).all()
    return None


def check(config: dict, message: str | None) -> None:
    got = outcome(config)
    if message is None:
        assert got is None, got
    else:
        assert got is not None
        assert re.search(message, got, re.DOTALL), got


@pytest.mark.parametrize('name', XML_CASES)
def test_annotations_in_voc_layout(name, tmp_path):
    text, message = XML_CASES[name]
    write_voc(tmp_path, text)
    check(voc_config(tmp_path), message)
    if message:
        assert 'a.xml' in outcome(voc_config(tmp_path))


@pytest.mark.parametrize('name', LIST_CASES)
def test_lists_in_voc_layout(name, tmp_path):
    names, message = LIST_CASES[name]
    write_voc(tmp_path, names=names)
    check(voc_config(tmp_path), message)


@pytest.mark.parametrize('name', COCO_CASES)
def test_files_in_coco_format(name, tmp_path):
    content, message = COCO_CASES[name]
    write_coco(tmp_path, content)
    check(coco_config(tmp_path), message)
    if message:
        assert 'train.json' in outcome(coco_config(tmp_path))


@pytest.mark.parametrize('name', IMAGE_CASES)
def test_images(name, tmp_path):
    content, message = IMAGE_CASES[name]
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/a.jpg').write_bytes(content)
    check(voc_config(tmp_path), message)
    if message:
        assert 'a.jpg' in outcome(voc_config(tmp_path))


@pytest.mark.parametrize('kind', ['pipe', 'device', 'socket'])
def test_special_files_are_no_images(kind, tmp_path):
    write_voc(tmp_path)
    path = tmp_path / 'JPEGImages/a.jpg'
    path.unlink()
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'device':
        path.symlink_to('/dev/zero')
    else:
        socket.socket(socket.AF_UNIX).bind(os.path.relpath(path))
    check(voc_config(tmp_path), r'a.jpg is no file but a pipe, socket or device')


def test_too_many_boxes_of_an_image(tmp_path):
    objects = xml().removeprefix('<annotation>').removesuffix('</annotation>')
    write_voc(tmp_path, f'<annotation>{objects * 5}</annotation>')
    assert outcome(voc_config(tmp_path)) is None
    with (
        watched_loading(max_boxes=4),
        pytest.raises(ValueError, match='5 boxes') as got,
    ):
        DATASETS.build(voc_config(tmp_path))
    assert 'data_checks=dict(max_boxes=...)' in str(got.value)
    assert 'a.xml' in str(got.value)


def test_all_faults_are_said_at_once(tmp_path):
    """Ten in words, and the number of all."""
    objects = xml((9, 9, 9, 9)).removeprefix('<annotation>')
    objects = objects.removesuffix('</annotation>')
    write_voc(tmp_path, f'<annotation>{objects * 12}</annotation>')
    got = outcome(voc_config(tmp_path))
    assert got.startswith('12 faults in the annotations of ')
    assert got.count('has no width or height') == 10
    assert 'and 2 more' in got
    assert '--no-check' in got


def test_faults_of_boxes_do_not_stop_a_test(tmp_path):
    write_voc(tmp_path, xml((9, 9, 9, 9)))
    with watched_loading() as seen:
        dataset = DATASETS.build(voc_config(tmp_path, test_mode=True))
    warnings = seen[id(dataset)].warnings
    assert warnings.count == 1
    assert 'object 1 (cat) has no width or height' in warnings.texts[0]
