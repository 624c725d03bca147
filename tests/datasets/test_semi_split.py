"""Labelled and unlabelled parts of a data set."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mmdet.datasets import CocoDataset

from mmmix.datasets.semi_split import (
    SplitSettings,
    labelled_mask,
    read_annotations,
    split_coco,
    split_list,
    write_split,
)

CATEGORIES = [dict(id=1, name='thing')]


def coco(images: int) -> dict:
    """Image k has k % 3 boxes."""
    counts = [k % 3 for k in range(images)]
    owners = [k for k, count in enumerate(counts) for _ in range(count)]
    size = dict(width=40, height=30)
    return dict(
        info=dict(year=2017),
        images=[dict(id=100 + k, file_name=f'{k}.jpg', **size) for k in range(images)],
        annotations=[
            dict(
                id=i,
                image_id=100 + k,
                category_id=1,
                bbox=[1, 2, 3, 4],
                area=12,
                iscrowd=0,
            )
            for i, k in enumerate(owners)
        ],
        categories=CATEGORIES,
    )


@pytest.mark.parametrize(
    ('percent', 'total'),
    [*((p, 118287) for p in (1, 2, 5, 10)), (29, 100), (58, 100), (14, 50), (7, 300)],
)
@pytest.mark.parametrize('fold', [1, 5])
def test_the_splits_of_soft_teacher(percent, total, fold):
    """What mmdet's split_coco.py draws; 29 % of 100 are 28 there."""
    np.random.seed(fold)
    size = int(percent / 100.0 * total)
    expected = set(np.random.choice(range(total), size=size).tolist())
    mask = labelled_mask(total, SplitSettings(percent, fold, repeat=True))
    assert set(np.flatnonzero(mask).tolist()) == expected
    exact = labelled_mask(total, SplitSettings(percent, fold))
    assert exact.sum() == percent * total // 100 >= size >= len(expected)
    if total == 118287:
        assert exact.sum() == size > len(expected)


def test_percentages_are_exact_and_folds_differ():
    assert labelled_mask(100, SplitSettings(29)).sum() == 29
    assert labelled_mask(100_000, SplitSettings(0.29)).sum() == 290
    assert labelled_mask(1000, SplitSettings(0.5)).sum() == 5
    masks = [labelled_mask(1000, SplitSettings(10, fold)) for fold in (1, 1, 2)]
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any()


@pytest.mark.parametrize('percent', [0, -1, 100, 120])
def test_percentages_out_of_range(percent):
    with pytest.raises(ValueError, match=f'percent={percent}'):
        labelled_mask(10, SplitSettings(percent))


def test_less_than_one_image_and_negative_folds():
    with pytest.raises(ValueError, match='5 % of 19 images is less than one'):
        labelled_mask(19, SplitSettings(5))
    with pytest.raises(ValueError, match='fold=-1'):
        labelled_mask(10, SplitSettings(50, -1))


def test_parts_of_a_coco_set():
    content = coco(20)
    mask = labelled_mask(20, SplitSettings(25, 3))
    labelled, unlabelled = split_coco(content, SplitSettings(25, 3))
    inside = [image for image, is_in in zip(content['images'], mask) if is_in]
    outside = [image for image in content['images'] if image not in inside]
    assert labelled['images'] == inside
    assert unlabelled['images'] == outside
    assert (len(inside), len(outside)) == (5, 15)
    ids = {image['id'] for image in inside}
    own = [ann for ann in content['annotations'] if ann['image_id'] in ids]
    assert labelled['annotations'] == own
    assert unlabelled['annotations'] == []
    for part in (labelled, unlabelled):
        assert part['categories'] == CATEGORIES
        assert part['info'] == dict(year=2017)
    _, kept = split_coco(content, SplitSettings(25, 3, keep_labels=True))
    assert kept['images'] == outside
    others = [ann for ann in content['annotations'] if ann['image_id'] not in ids]
    assert kept['annotations'] == others
    assert content == coco(20)


def test_parts_of_a_voc_list():
    names = [f'{k:06d}' for k in range(40)]
    mask = labelled_mask(40, SplitSettings(10, 2))
    labelled, unlabelled = split_list(names, SplitSettings(10, 2))
    assert labelled == [name for name, is_in in zip(names, mask) if is_in]
    assert len(labelled) == 4
    assert sorted(labelled + unlabelled) == names
    assert unlabelled == sorted(unlabelled)


def test_written_files_have_the_names_of_the_protocol_and_load(tmp_path):
    ann_file = tmp_path / 'instances_train2017.json'
    ann_file.write_text(json.dumps(coco(20)))
    content = read_annotations(ann_file)
    out = tmp_path / 'semi_anns'
    assert write_split(content, ann_file, out, SplitSettings(10, 3)) == (2, 18)
    assert write_split(content, ann_file, out, SplitSettings(12.5, 1)) == (2, 18)
    names = [
        f'instances_train2017.{split}{part}.json'
        for split in ('1@12.5', '3@10')
        for part in ('', '-unlabeled')
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    labelled, unlabelled = (
        CocoDataset(
            ann_file=str(out / f'instances_train2017.3@10{part}.json'),
            data_prefix=dict(img=''),
            metainfo=dict(classes=('thing',)),
            filter_cfg=dict(filter_empty_gt=False),
        )
        for part in ('', '-unlabeled')
    )
    expected = split_coco(content, SplitSettings(10, 3))
    for dataset, part in zip((labelled, unlabelled), expected):
        ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
        assert ids == [image['id'] for image in part['images']]
    boxes = [len(labelled.get_data_info(i)['instances']) for i in range(2)]
    assert sum(boxes) == len(expected[0]['annotations'])
    assert not any(unlabelled.get_data_info(i)['instances'] for i in range(18))


def test_a_voc_list_is_written_as_it_is_read(tmp_path):
    ann_file = tmp_path / 'train.txt'
    ann_file.write_text('a b\n\nc\nd \ne')
    content = read_annotations(ann_file)
    assert content == ['a b', 'c', 'd', 'e']
    assert write_split(content, ann_file, tmp_path, SplitSettings(50, 1)) == (2, 2)
    parts = [
        read_annotations(tmp_path / f'train.1@50{part}.txt')
        for part in ('', '-unlabeled')
    ]
    assert parts == list(split_list(content, SplitSettings(50, 1)))


def test_files_that_cannot_be_split(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.json'):
        read_annotations(tmp_path / 'none.json')
    other = tmp_path / 'boxes.csv'
    other.write_text('')
    with pytest.raises(ValueError, match=r'\.json.* or .*\.txt.*boxes\.csv'):
        read_annotations(other)
    lacking = tmp_path / 'images.json'
    lacking.write_text(json.dumps(dict(images=[], categories=[])))
    with pytest.raises(ValueError, match=r"lacks \['annotations'\]"):
        read_annotations(lacking)


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('a.json', '{"images": [', 'a.json is not whole JSON: .*; export it again'),
        ('a.json', '[{"image_id": 1}]', 'a.json is not in COCO .* got a list'),
        ('a.txt', 'a\nb\na\n', "a.txt has 1 images more than once, such as 'a'"),
        (
            'a.json',
            '{"images": [{"id": 3}, {"id": 3}], "annotations": [], "categories": []}',
            'a.json has 1 images more than once, such as 3',
        ),
    ],
)
def test_a_bad_file_is_named(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        read_annotations(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    (tmp_path / 'a.txt').write_text('a\nb\n', encoding='utf-8-sig')
    assert read_annotations(tmp_path / 'a.txt') == ['a', 'b']
    content = dict(images=[], annotations=[], categories=[])
    (tmp_path / 'a.json').write_text(json.dumps(content), encoding='utf-8-sig')
    assert read_annotations(tmp_path / 'a.json') == content
