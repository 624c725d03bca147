"""Data sets in their true layouts, a few images each."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.datasets import CIFAR10, CIFAR100
from mmpretrain.registry import DATASETS

from .tiny_data import CIFAR, write_cifar, write_cub


def test_cub_with_boxes(tmp_path):
    write_cub(tmp_path)
    dataset = DATASETS.build(
        dict(type='BoxedCUB', data_root=str(tmp_path), split='test')
    )
    stock = DATASETS.build(dict(type='CUB', data_root=str(tmp_path), split='test'))
    assert len(dataset) == len(stock) == 2
    for index in range(2):
        info, plain = dataset.get_data_info(index), stock.get_data_info(index)
        assert info['img_path'] == plain['img_path']
        assert info['gt_label'] == plain['gt_label']
    # The ids of the test images are 2 and 4; x, y, width and height are 10, id, 30, 20.
    boxes = [dataset.get_data_info(index)['gt_bboxes'].tolist() for index in range(2)]
    assert boxes == [[[10, 2, 40, 22]], [[10, 4, 40, 24]]]


def test_cub_without_boxes_says_where_they_are(tmp_path):
    write_cub(tmp_path)
    cfg = dict(type='BoxedCUB', data_root=str(tmp_path), split='test')
    file = tmp_path / 'bounding_boxes.txt'
    lines = file.read_text().splitlines()
    file.write_text('\n'.join(lines[:3]))
    with pytest.raises(ValueError, match='no box of'):
        DATASETS.build(cfg)
    file.write_text('\n'.join([*lines[:3], '4 10 4 0 20']))
    with pytest.raises(ValueError, match=r'not so of images 4$'):
        DATASETS.build(cfg)
    file.unlink()
    with pytest.raises(FileNotFoundError, match='CUB_200_2011.tgz'):
        DATASETS.build(cfg)


def content():
    return dict(
        categories=[dict(id=7, name='cat'), dict(id=3, name='cow')],
        images=[dict(id='a', file_name='a.jpg'), dict(id='b', file_name='b.jpg')],
        annotations=[
            dict(image_id='b', category_id=7, bbox=[1, 2, 3, 4]),
            dict(image_id='a', category_id=3, bbox=[5, 6, 7, 8]),
            dict(image_id='b', category_id=7, bbox=[0, 0, 9, 9]),
        ],
    )


def boxed(tmp_path, value, **settings):
    (tmp_path / 'boxes.json').write_text(json.dumps(value))
    cfg = dict(type='BoxedImages', data_root=str(tmp_path), ann_file='boxes.json')
    return DATASETS.build(dict(cfg, data_prefix=dict(img_path='images'), **settings))


def test_images_with_boxes_in_cocos_form(tmp_path):
    dataset = boxed(tmp_path, content())
    assert dataset.metainfo['classes'] == ('cat', 'cow')
    first, second = (dataset.get_data_info(index) for index in range(2))
    assert first['img_path'] == str(tmp_path / 'images' / 'a.jpg')
    assert (first['gt_label'], second['gt_label']) == (1, 0)
    np.testing.assert_array_equal(first['gt_bboxes'], [[5, 6, 12, 14]])
    np.testing.assert_array_equal(second['gt_bboxes'], [[1, 2, 4, 6], [0, 0, 9, 9]])
    swapped = boxed(tmp_path, content(), metainfo=dict(classes=('cow', 'cat')))
    assert [swapped.get_data_info(index)['gt_label'] for index in range(2)] == [0, 1]


def test_faults_of_such_a_file_are_named(tmp_path):
    value = content()
    value['annotations'][0]['category_id'] = 3
    with pytest.raises(ValueError, match=r"one class in b.jpg, got \['cat', 'cow'\]"):
        boxed(tmp_path, value)
    value = content()
    del value['annotations'][1]
    with pytest.raises(ValueError, match='one class in a.jpg, got none'):
        boxed(tmp_path, value)
    value = content()
    value['annotations'][1]['bbox'] = [5, 6, 0, 8]
    with pytest.raises(ValueError, match='a.jpg has a bbox'):
        boxed(tmp_path, value)
    for key in ('image_id', 'category_id'):
        value = content()
        value['annotations'][1][key] = 99
        with pytest.raises(KeyError, match=f'{key} 99.* the id of no entry'):
            boxed(tmp_path, value)
    with pytest.raises(KeyError, match="'cow', which is not among"):
        boxed(tmp_path, content(), metainfo=dict(classes=('cat',)))
    with pytest.raises(KeyError, match='lacks'):
        boxed(tmp_path, dict(images=[]))
    with pytest.raises(FileNotFoundError, match='no annotations at'):
        DATASETS.build(dict(type='BoxedImages', ann_file=str(tmp_path / 'no.json')))


@pytest.mark.parametrize(
    'bbox',
    [None, 4, [5, 6, 7], [5, 6, 7, 'x'], [5, 6, float('nan'), 8], [[5, 6, 7, 8]] * 2],
)
def test_a_box_that_is_no_four_numbers_is_named(bbox, tmp_path):
    value = content()
    value['annotations'][0]['bbox'] = bbox  # beside a whole one of the same image
    with pytest.raises(ValueError, match='b.jpg has a bbox that is not x, y and'):
        boxed(tmp_path, value)


@pytest.mark.parametrize('cls', [CIFAR10, CIFAR100])
def test_cifar_in_its_true_layout(cls, tmp_path, monkeypatch):
    monkeypatch.setattr('mmpretrain.datasets.cifar.check_md5', lambda *_: True)
    write_cifar(tmp_path, cls.__name__)
    for split, count in (('train', CIFAR[cls.__name__]), ('test', 2)):
        dataset = cls(data_root=str(tmp_path), split=split, download=False)
        assert len(dataset) == count
        info = dataset.get_data_info(1)
        # Files hold all reds of an image, then greens, then blues.
        assert info['img'].shape == (32, 32, 3)
        assert info['img'][3, 4].tolist() == [3, 4, 1]
        assert info['gt_label'] == 1


def test_the_files_of_cifar_are_pickles_of_bytes_keys(tmp_path):
    write_cifar(tmp_path, 'CIFAR100')
    file = tmp_path / 'cifar-100-python' / 'train'
    entry = pickle.loads(file.read_bytes())
    assert entry['data'].shape == (2, 3072)
    assert entry['fine_labels'] == [0, 1]
