"""Detections in the formats of labelling programs, read back."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from mmmix.layouts.writers import Boxes, coco_text, yolo_texts
from mmmix.layouts.writing import write_all
from mmmix.layouts.yolo import read_data_yaml, read_labels

CLASSES = ('cat', 'großer Hund: "a"')
FOUND = [
    Boxes('a/é 1.jpg', (200, 100), [(10, 20, 60, 80.5)], [1], [0.75]),
    Boxes('b.png', (50, 50), [], [], []),
]


def test_coco_is_read_back_by_pycocotools(tmp_path):
    path = tmp_path / 'coco.json'
    write_all({path: coco_text(FOUND, CLASSES)})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    assert [image['file_name'] for image in coco.loadImgs(coco.getImgIds())] == [
        'a/é 1.jpg',
        'b.png',
    ]
    (annotation,) = coco.loadAnns(coco.getAnnIds())
    assert annotation['bbox'] == [10, 20, 50, 60.5]
    assert annotation['area'] == 50 * 60.5
    assert annotation['score'] == 0.75
    assert coco.cats[annotation['category_id']]['name'] == CLASSES[1]


def test_yolo_is_read_back_by_our_reader(tmp_path):
    texts = yolo_texts(FOUND, CLASSES)
    write_all({tmp_path / path: text for path, text in texts.items()})
    assert read_data_yaml(tmp_path / 'data.yaml')['names'] == list(CLASSES)
    labels = read_labels(tmp_path / 'labels' / 'a' / 'é 1.txt', 2)
    assert labels.ids == [1]
    assert labels.boxes[0] == pytest.approx((0.05, 0.2, 0.3, 0.805), abs=2e-6)
    assert read_labels(tmp_path / 'labels' / 'b.txt').ids == []
    assert (tmp_path / 'labels' / 'b.txt').is_file()


def test_two_images_do_not_share_a_label_file():
    twin = FOUND[1]._replace(name='b.jpg')
    with pytest.raises(ValueError, match=r'b.jpg and another image'):
        yolo_texts([*FOUND, twin], CLASSES)


def test_all_files_or_none(tmp_path):
    (tmp_path / 'taken').write_text('a file, not a folder')
    files = {tmp_path / 'a.txt': 'a', tmp_path / 'taken' / 'b.txt': 'b'}
    with pytest.raises(OSError, match='taken'):
        write_all(files)
    assert [path.name for path in tmp_path.iterdir()] == ['taken']
    write_all({tmp_path / 'new' / 'a.json': json.dumps(1)})
    assert Path(tmp_path, 'new', 'a.json').read_text() == '1'
