"""VOC layout with other images than JPEG, and without XML files."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS

from tests.datasets.contents.broken import (
    encoded,
    picture,
    turned,
    voc_config,
    write_voc,
    xml,
)


def build(root, kind='VOCLayoutDataset', **more):
    return DATASETS.build(dict(voc_config(root), type=kind, **more))


def test_jpg_images_are_loaded_as_by_mmdet(tmp_path):
    write_voc(tmp_path)
    stock, ours = build(tmp_path, 'XMLDataset'), build(tmp_path)
    assert np.array_equal(stock.data_bytes, ours.data_bytes)
    assert len(stock) == 2


@pytest.mark.parametrize('suffix', ['.png', '.PNG', '.jpeg', '.JPG', '.bmp', '.tiff'])
@pytest.mark.parametrize('sized', [True, False])
def test_other_formats(tmp_path, suffix, sized):
    write_voc(tmp_path, xml() if sized else xml(size=''))
    (tmp_path / 'JPEGImages/a.jpg').unlink()
    encoded_picture = cv2.imencode(suffix.lower(), picture())[1].tobytes()
    (tmp_path / f'JPEGImages/a{suffix}').write_bytes(encoded_picture)
    dataset = build(tmp_path)
    info = dataset.get_data_info(0)
    assert info['img_path'] == f'{tmp_path}/JPEGImages/a{suffix}'
    assert (info['width'], info['height']) == (64, 48)
    (instance,) = info['instances']
    assert instance['bbox'] == [4, 5, 29, 39]
    assert dataset[0]['inputs'].shape == (3, 48, 64)


def test_unlabelled_images_need_no_xml(tmp_path):
    write_voc(tmp_path)
    for file in (tmp_path / 'Annotations').iterdir():
        file.unlink()
    (tmp_path / 'JPEGImages/b.jpg').write_bytes(turned(6))
    with pytest.raises(FileNotFoundError, match='a.xml'):
        build(tmp_path)
    dataset = build(tmp_path, labelled=False, filter_cfg=None)
    first, second = (dataset.get_data_info(k) for k in range(2))
    assert first['instances'] == second['instances'] == []
    assert (first['width'], first['height']) == (64, 48)
    assert (second['width'], second['height']) == (48, 64)
    assert dataset[1]['inputs'].shape == (3, 64, 48)


def test_unlabelled_images_that_are_missing_or_broken(tmp_path):
    write_voc(tmp_path, names=b'c\n')
    with pytest.raises(FileNotFoundError, match='c.jpg'):
        build(tmp_path, labelled=False)
    (tmp_path / 'JPEGImages/c.jpg').write_bytes(b'text')
    with pytest.raises(ValueError, match='c.jpg has no head of an image'):
        build(tmp_path, labelled=False)


def test_the_classes_of_voc_without_their_labels(tmp_path):
    write_voc(tmp_path)
    more = dict(metainfo=None, filter_cfg=None)
    unlabelled = build(tmp_path, 'UnlabelledVOCDataset', **more)
    stock = build(tmp_path, 'VOCDataset', **more)
    assert unlabelled.metainfo == stock.metainfo
    assert unlabelled.metainfo['classes'] == VOCDataset.METAINFO['classes']
    assert unlabelled.get_data_info(0)['instances'] == []
    assert stock.get_data_info(0)['instances'] != []
    for key in ('img_path', 'img_id', 'width', 'height'):
        assert unlabelled.get_data_info(1)[key] == stock.get_data_info(1)[key]


def test_gray_images_load_too(tmp_path):
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/a.jpg').unlink()
    (tmp_path / 'JPEGImages/a.png').write_bytes(encoded('I;16', 'PNG'))
    assert build(tmp_path)[0]['inputs'].shape == (3, 48, 64)
