"""The splits that files and the folders around them are named after."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from mmmix.apis.own_data.find import find_layout

from .folders import write_coco, write_voc, write_yolo


def coco_of(root, split, images, labels, count):
    """The images and the file of one split, where exporters put them."""
    write_coco(root / 'tmp', count)
    move(root / 'tmp/pics', root / images.format(split))
    (root / labels.format(split)).parent.mkdir(parents=True, exist_ok=True)
    (root / 'tmp/labels.json').rename(root / labels.format(split))
    shutil.rmtree(root / 'tmp')


def voc_of(root, split, images, labels, count):
    write_voc(root / 'tmp', count)
    move(root / 'tmp/JPEGImages', root / images.format(split))
    move(root / 'tmp/Annotations', root / labels.format(split))
    shutil.rmtree(root / 'tmp')


def move(old, new):
    new.mkdir(parents=True, exist_ok=True)
    for path in list(old.iterdir()):
        path.rename(new / path.name)


@pytest.mark.parametrize(
    ('write', 'images', 'labels'),
    [
        (coco_of, '{}', '{}/_annotations.coco.json'),
        (coco_of, '{}', '{}/annotations/x.json'),
        (coco_of, '{}/images', '{}/annotations/instances_default.json'),
        (coco_of, 'images/{}', 'annotations/{}/boxes/x.json'),
        (voc_of, '{}', '{}'),
        (voc_of, '{}/JPEGImages', '{}/Annotations'),
        (voc_of, 'images/{}', 'labels/{}/xml'),
    ],
)
def test_a_folder_around_labels_tells_their_split(tmp_path, write, images, labels):
    counts = dict(train=9, valid=5, test=4)
    for split, count in counts.items():
        write(tmp_path, split, images, labels, count)
    layout = find_layout(tmp_path)
    assert {k: len(s.items) for k, s in layout.splits.items()} == dict(
        train=9, val=5, test=4
    )
    folder = tmp_path / images.format('valid')
    assert {item.image.parent for item in layout.splits['val'].items} == {folder}
    assert layout.splits['val'].names == Counter({'cat': 3, 'big dog': 2})


def test_the_nearest_folder_counts_and_that_of_the_whole_does_not(tmp_path):
    root = tmp_path / 'test'
    for split in ('train', 'valid'):
        coco_of(root, split, 'test_set/{}', 'test_set/{}/a/x.json', 3)
    assert set(find_layout(root).splits) == {'train', 'val'}


def test_the_nearest_folder_counts_for_yolo_too(tmp_path):
    for split, count in (('train', 6), ('valid', 4)):
        write_yolo(tmp_path / 'test_set' / split, count)
    splits = find_layout(tmp_path).splits
    assert {key: len(split.items) for key, split in splits.items()} == dict(
        train=6, val=4
    )


def test_trainval_is_trained_on(tmp_path):
    for split, count in (('trainval', 6), ('test', 3)):
        coco_of(tmp_path, split, '{}', 'voc07_{}.json', count)
    splits = find_layout(tmp_path).splits
    assert {key: len(split.items) for key, split in splits.items()} == dict(
        train=6, test=3
    )


def test_what_tells_no_split_is_refused(tmp_path):
    for split in ('train', 'other'):
        coco_of(tmp_path, split, '{}', '{}/annotations/x.json', 3)
    with pytest.raises(ValueError, match='of a folder around it'):
        find_layout(tmp_path)
