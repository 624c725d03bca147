"""Every broken file trains, or is refused by a message with its name and the fix."""

from __future__ import annotations

import os
import socket

import cv2
import pytest
from mmdet.registry import DATASETS

import mmmix  # noqa: F401
from mmmix.datasets.contents import watched_loading

from .broken import (
    encoded,
    picture,
    png_head,
    turned,
    voc_config,
    write_voc,
    xml,
)
from .outcome import TRAINS, check, outcome

XML_CASES = {
    'as it should be': (xml(), TRAINS),
    'no object': ('<annotation><size/></annotation>', '<width> of <size> is None'),
    'namespace': (
        xml().replace('<annotation>', '<annotation xmlns="http://a/b">'),
        r'a.xml: its elements have the namespace .http://a/b., .* delete xmlns="http',
    ),
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
