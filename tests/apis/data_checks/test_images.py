"""Heads of images against the sizes that annotations state."""

from __future__ import annotations

import cv2
import pytest
from mmdet.registry import DATASETS

from mmmix.apis.data_checks import check_images
from mmmix.apis.data_checks.check import sources_of
from mmmix.datasets.contents import watched_loading
from tests.datasets.contents.broken import (
    HEIGHT,
    WIDTH,
    picture,
    turned,
    voc_config,
    write_voc,
    xml,
)

SWAPPED = f'<width>{HEIGHT}</width><height>{WIDTH}</height>'


def found(root, loader='CheckedLoadImageFromFile', kind='XMLDataset', **settings):
    config = dict(voc_config(root), type=kind)
    config['pipeline'] = [dict(type=loader, **settings), *config['pipeline'][1:]]
    with watched_loading() as seen:
        dataset = DATASETS.build(config)
    (source,) = sources_of(dataset, 'train_dataloader.dataset', seen)
    return check_images(source)


@pytest.mark.parametrize('loader', ['CheckedLoadImageFromFile', 'LoadImageFromFile'])
def test_sizes_that_fit(tmp_path, loader):
    write_voc(tmp_path)
    assert found(tmp_path, loader) == []


@pytest.mark.parametrize('size', [xml(), xml(size=SWAPPED, box=(5, 6, 30, 40))])
def test_turned_images_fit_the_one_way_or_the_other(tmp_path, size):
    write_voc(tmp_path, size)
    (tmp_path / 'JPEGImages/a.jpg').write_bytes(turned(6))
    assert found(tmp_path) == []


def test_a_stock_loader_would_leave_the_boxes_behind(tmp_path):
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/a.jpg').write_bytes(turned(6))
    with pytest.raises(ValueError, match='turned by its EXIF tag') as caught:
        found(tmp_path, 'LoadImageFromFile')
    assert f'{tmp_path}/JPEGImages/a.jpg' in str(caught.value)
    assert "type='CheckedLoadImageFromFile'" in str(caught.value)
    flag = dict(color_type='color_ignore_orientation')
    assert found(tmp_path, 'LoadImageFromFile', **flag) == []


def test_upside_down_images_are_doubtful(tmp_path):
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/b.jpg').write_bytes(turned(3))
    (text,) = found(tmp_path)
    assert '1 of 2 images' in text
    assert 'b.jpg' in text


@pytest.mark.parametrize('loader', ['CheckedLoadImageFromFile', 'LoadImageFromFile'])
def test_rescaled_images(tmp_path, loader):
    write_voc(tmp_path)
    cv2.imwrite(f'{tmp_path}/JPEGImages/a.jpg', picture()[::2, ::2])
    with pytest.raises(ValueError, match='32 x 24 pixels, .* says 64 x 48') as caught:
        found(tmp_path, loader)
    assert 'a.jpg' in str(caught.value)
    assert 'check_size=False' in str(caught.value)
    if loader.startswith('Checked'):
        assert found(tmp_path, check_size=False) == []


def test_png_images_in_voc_layout(tmp_path):
    write_voc(tmp_path)
    (tmp_path / 'JPEGImages/a.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'a.jpg .* does not exist; check'):
        found(tmp_path)
    cv2.imwrite(f'{tmp_path}/JPEGImages/a.png', picture())
    with pytest.raises(FileNotFoundError, match=r'a.png does: .* reads .jpg') as got:
        found(tmp_path)
    assert "type='VOCLayoutDataset'" in str(got.value)
    assert found(tmp_path, kind='VOCLayoutDataset') == []


def test_only_some_images_are_looked_at(tmp_path, monkeypatch):
    names = b'a\n' * 99
    write_voc(tmp_path, names=names)
    looked = []
    monkeypatch.setattr(
        'mmmix.apis.data_checks.images.read_header', lambda *args: looked.append(args)
    )
    assert found(tmp_path) == []
    assert len(looked) == 32
    assert 'b.jpg' in looked[-1][0]
