"""Six animals of VOC2012, from a folder of VOC layout."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.datasets import XMLDataset

from mmmix.commands.make_voc_animals import DRAWN
from mmmix.datasets.voc_animals import CLASSES, write_animals

WIDTH, HEIGHT = 500, 400
# name, difficult, box in VOC's pixels: from 1, the last one included
OBJECTS = {
    'a': [('dog', 0, (101, 51, 300, 250)), ('car', 0, (1, 1, 500, 400))],
    'b': [('cow', 1, (1, 1, 500, 400)), ('person', 0, (491, 391, 500, 400))],
}


@pytest.fixture
def voc(tmp_path) -> Path:
    """A folder of two images, and lists of one and of both."""
    root = tmp_path / 'VOC2012'
    for folder in ('JPEGImages', 'Annotations'):
        (root / folder).mkdir(parents=True)
    for name, objects in OBJECTS.items():
        rng = np.random.default_rng(ord(name))
        small = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        image = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(root / f'JPEGImages/{name}.jpg'), image)
        (root / f'Annotations/{name}.xml').write_text(annotation(objects))
    (tmp_path / 'train.txt').write_text('a\nb\n')
    (tmp_path / 'few.txt').write_text('b\n')
    return root


def annotation(objects: list, width: int = WIDTH) -> str:
    """VOC's file of an image."""
    size = f'<size><width>{width}</width><height>{HEIGHT}</height></size>'
    items = ''
    for name, difficult, box in objects:
        corners = zip(
            ('xmax', 'xmin', 'ymax', 'ymin'), (box[2], box[0], box[3], box[1])
        )
        bndbox = ''.join(f'<{key}>{value}</{key}>' for key, value in corners)
        items += (
            f'<object><name>{name}</name><difficult>{difficult}</difficult>'
            f'<part><name>head</name></part><bndbox>{bndbox}</bndbox></object>'
        )
    return f'<annotation>{size}{items}</annotation>'


def write(voc: Path, **settings) -> Path:
    """Write both lists to a folder beside."""
    out = voc.parent / 'animals'
    lists = [voc.parent / 'train.txt', voc.parent / 'few.txt']
    assert write_animals(voc, lists, out, **settings) == 2
    return out


def test_boxes_of_six_classes_follow_the_smaller_image(voc):
    out = write(voc, side=250)
    dataset = XMLDataset(
        data_root=str(out),
        ann_file='ImageSets/Main/train.txt',
        data_prefix=dict(sub_data_root=''),
        metainfo=dict(classes=CLASSES),
        pipeline=[],
    )
    a, b = (dataset.get_data_info(index) for index in range(2))
    assert (a['width'], a['height']) == (250, 200)
    # half of x from 100 to 300 and of y from 50 to 250, the car left out
    (dog,) = a['instances']
    assert (dog['bbox_label'], dog['ignore_flag']) == (CLASSES.index('dog'), 0)
    # mmdet subtracts 1 from every corner, and so loses the last pixel
    assert dog['bbox'] == [50, 25, 149, 124]
    cow, person = b['instances']
    assert (cow['ignore_flag'], cow['bbox']) == (1, [0, 0, 249, 199])
    assert person['bbox'] == [245, 195, 249, 199]
    assert (out / 'ImageSets/Main/few.txt').read_text() == 'b\n'


def test_pixels_are_those_of_the_photograph_averaged(voc):
    out = write(voc, side=250)
    image = cv2.imread(str(voc / 'JPEGImages/a.jpg')).astype(float)
    expected = image.reshape(200, 2, 250, 2, 3).mean((1, 3))
    found = cv2.imread(str(out / 'JPEGImages/a.jpg')).astype(float)
    assert np.abs(found - expected).mean() < 2  # JPEG


def test_a_smaller_image_stays(voc):
    out = write(voc, side=600)
    assert cv2.imread(str(out / 'JPEGImages/a.jpg')).shape == (HEIGHT, WIDTH, 3)
    root = ET.parse(out / 'Annotations/a.xml').getroot()
    assert root.findtext('object/bndbox/xmin') == '101'


@pytest.mark.parametrize('kind', DRAWN)
def test_drawings_differ_from_photographs_in_their_pixels_alone(voc, kind):
    photographs = write(voc, side=64)
    drawn = voc.parent / 'drawn'
    write_animals(voc, [voc.parent / 'few.txt'], drawn, side=64, pixels=DRAWN[kind])
    a, b = (root / 'Annotations/b.xml' for root in (photographs, drawn))
    assert a.read_text() == b.read_text()
    a, b = (cv2.imread(str(r / 'JPEGImages/b.jpg')) for r in (photographs, drawn))
    assert a.shape == b.shape
    assert np.abs(a.astype(float) - b).mean() > 3


def test_nothing_is_left_of_a_folder_that_cannot_be_made(voc):
    (voc / 'JPEGImages/b.jpg').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'b.jpg does not exist; give the folder'
    ):
        write(voc)
    assert not [path for path in voc.parent.iterdir() if 'animals' in path.name]


def test_an_image_of_another_size_and_an_existing_folder_are_refused(voc):
    (voc / 'Annotations/a.xml').write_text(annotation(OBJECTS['a'], width=300))
    with pytest.raises(ValueError, match='500 x 400 pixels, its annotation says 300 x'):
        write(voc)
    (voc / 'Annotations/a.xml').write_text(annotation(OBJECTS['a']))
    write(voc)
    with pytest.raises(FileExistsError, match='animals exists; remove it or choose'):
        write(voc)
