"""Detections in the formats of labelling programs, read back."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from mmmix.layouts.writers import Boxes, coco_text, yolo_texts
from mmmix.layouts.writing import check_writable, write_all
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


def test_yolo_leaves_out_boxes_that_its_six_digits_make_flat():
    boxes = [
        (200, 20, 200, 80),
        (10, 20, 10.00001, 80),
        (10, 20, 60, 20),
        (10, 20, 60, 80),
    ]
    found = FOUND[0]._replace(boxes=boxes, labels=[0, 0, 0, 1], scores=[0.5] * 4)
    text = yolo_texts([found], CLASSES)[Path('labels/a/é 1.txt')]
    assert text == '1 0.175000 0.500000 0.250000 0.600000\n'


def test_two_images_do_not_share_a_label_file():
    twin = FOUND[1]._replace(name='b.jpg')
    with pytest.raises(ValueError, match=r'b.jpg and b.png differ in their ending'):
        yolo_texts([*FOUND, twin], CLASSES)


def test_all_files_or_none(tmp_path):
    (tmp_path / 'taken').write_text('a file, not a folder')
    files = {tmp_path / 'a.txt': 'a', tmp_path / 'taken' / 'b.txt': 'b'}
    with pytest.raises(OSError, match='taken'):
        write_all(files)
    assert [path.name for path in tmp_path.iterdir()] == ['taken']
    write_all({tmp_path / 'new' / 'a.json': json.dumps(1)})
    assert Path(tmp_path, 'new', 'a.json').read_text() == '1'


def test_what_is_in_the_way_is_found_before_and_nothing_is_made(tmp_path, monkeypatch):
    (tmp_path / 'taken').touch()
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'lost').symlink_to('nowhere')
    before = sorted(tmp_path.iterdir())
    check_writable([tmp_path / 'new' / 'deep' / 'a', tmp_path / 'taken'])
    for path in ('taken/a', 'taken/deep/a', 'lost/a'):
        with pytest.raises(NotADirectoryError, match='no folder; choose another'):
            check_writable([tmp_path / 'b', tmp_path / path])
    with pytest.raises(IsADirectoryError, match='folder is a folder'):
        check_writable([tmp_path / 'folder'])

    def refuse(dir):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('tempfile.TemporaryFile', refuse)
    with pytest.raises(PermissionError, match=r'written to .*denied.*another --out'):
        check_writable([tmp_path / 'new' / 'a'])
    assert sorted(tmp_path.iterdir()) == before
