"""What stands in annotations twice is said, where mmdet takes it for two."""

from __future__ import annotations

import cv2
import pytest
from mmdet.registry import DATASETS

import mmmix  # noqa: F401
from mmmix.datasets.contents import watched_loading

from .broken import (
    PIPELINE,
    coco_config,
    coco_content,
    picture,
    voc_config,
    write_coco,
    write_voc,
    xml,
)

SAID = 'is there before, with the same class and corners; delete one'


def warned(config):
    """What is said of a data set that trains, and how many objects it has."""
    with watched_loading() as seen:
        dataset = DATASETS.build(config)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    count = sum(len(info['instances']) for info in infos)
    return seen[id(dataset)].warnings.texts, count


def test_a_file_with_two_ids(tmp_path):
    content = coco_content()
    content['images'][1]['file_name'] = './1.jpg'
    write_coco(tmp_path, content)
    (text,), count = warned(coco_config(tmp_path))
    assert count == 2
    assert "train.json: '1.jpg' stands in it as the images [1, 2]: the labels" in text
    with watched_loading(), pytest.raises(ValueError, match=r"'1.jpg' stands in it as"):
        DATASETS.build(coco_config(tmp_path, test_mode=True))


def test_a_box_of_coco(tmp_path):
    content = coco_content()
    first = content['annotations'][0]
    content['annotations'] += [
        dict(first, id=3),
        dict(first, id=4, category_id=2),
        dict(first, id=5, iscrowd=1),
        dict(first, id=6, bbox=[5, 6, 25, 35]),
    ]
    write_coco(tmp_path, content)
    (text,), count = warned(coco_config(tmp_path))
    assert f'train.json: image 1: box 2 {SAID}' in text
    assert count == 6


def test_a_box_of_voc(tmp_path):
    (start, rest), end = xml().split('<object>'), '</annotation>'
    one = f'<object>{rest.removesuffix(end)}'
    write_voc(tmp_path, f'{start}{one}{one}{end}')
    (text,), count = warned(voc_config(tmp_path))
    assert f'a.xml: object 2 (cat) {SAID}' in text
    assert count == 3


def test_a_box_of_yolo(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    line = '0 0.5 0.5 0.25 0.5\n'
    (tmp_path / 'a.txt').write_text(f'{line}1 0.5 0.5 0.25 0.5\n{line}{line}')
    config = dict(
        type='YOLODataset',
        data_root=str(tmp_path),
        data_prefix=dict(img=''),
        metainfo=dict(classes=('cat', 'dog')),
        pipeline=PIPELINE,
    )
    texts, count = warned(config)
    assert count == 4
    assert [text.partition('a.txt: ')[2] for text in texts] == [
        f'box {number} {SAID} of the two, since a detection finds one object'
        for number in (3, 4)
    ]
