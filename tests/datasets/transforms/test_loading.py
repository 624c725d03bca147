"""Tests of CheckedLoadImageFromFile, with files that are really cut off."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS

from mmmix.datasets.transforms.loading import CheckedLoadImageFromFile

FORMATS = ('.jpg', '.png', '.bmp')


@pytest.fixture
def picture() -> np.ndarray:
    """A picture that does not compress to nothing: (60, 80, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture
def load() -> CheckedLoadImageFromFile:
    """The transform as a config builds it."""
    return TRANSFORMS.build(dict(type='CheckedLoadImageFromFile'))


def write(path: Path, picture: np.ndarray, keep: float = 1.0, tail: bytes = b'') -> str:
    """Write the first ``keep`` of an encoded picture, then ``tail``."""
    content = cv2.imencode(path.suffix, picture)[1].tobytes()
    path.write_bytes(content[: int(keep * len(content))] + tail)
    return str(path)


@pytest.mark.parametrize('suffix', FORMATS)
def test_whole_file_loads_as_in_the_stock_transform(tmp_path, picture, load, suffix):
    path = write(tmp_path / f'a{suffix}', picture)
    got = load(dict(img_path=path, img_id='a'))
    expected = LoadImageFromFile()(dict(img_path=path))
    assert np.array_equal(got['img'], expected['img'])
    assert got['img_shape'] == got['ori_shape'] == (60, 80)
    assert got['img_id'] == 'a'


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('keep', [0.3, 0.6, 0.99])
def test_truncated_file_is_refused_by_name(tmp_path, picture, load, suffix, keep):
    path = write(tmp_path / f'a{suffix}', picture, keep)
    size = Path(path).stat().st_size
    with pytest.raises(ValueError, match='truncated') as caught:
        load(dict(img_path=path, img_id='000012'))
    assert path in str(caught.value)
    assert f'{size} bytes' in str(caught.value)
    assert "'000012'" in str(caught.value)


def test_a_decoder_that_hides_the_loss_is_not_trusted(
    tmp_path, picture, load, monkeypatch
):
    """As older OpenCV versions do: grey in place of what is missing."""
    path = write(tmp_path / 'a.jpg', picture, keep=0.5)
    monkeypatch.setattr('mmcv.imfrombytes', lambda *_, **__: np.full_like(picture, 128))
    assert LoadImageFromFile()(dict(img_path=path))['img'].mean() == 128
    with pytest.raises(ValueError, match='truncated'):
        load(dict(img_path=path, img_id='a'))


def test_format_is_told_by_content_not_by_name(tmp_path, picture, load):
    path = Path(write(tmp_path / 'a.png', picture, keep=0.5))
    renamed = path.rename(tmp_path / 'a.jpg')
    with pytest.raises(ValueError, match='truncated'):
        load(dict(img_path=str(renamed), img_id='a'))


@pytest.mark.parametrize('tail', [b'\0' * 10, b'\0' * 5000], ids=('padded', 'appended'))
@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_bytes_behind_a_whole_image_are_no_fault(tmp_path, picture, load, suffix, tail):
    whole = load(dict(img_path=write(tmp_path / f'a{suffix}', picture)))
    padded = load(dict(img_path=write(tmp_path / f'b{suffix}', picture, tail=tail)))
    assert np.array_equal(whole['img'], padded['img'])


def test_truncated_file_with_bytes_behind_it_is_refused(tmp_path, picture, load):
    path = write(tmp_path / 'a.jpg', picture, keep=0.5, tail=b'\0' * 100)
    with pytest.raises(ValueError, match='truncated'):
        load(dict(img_path=path, img_id='a'))


def test_missing_file_is_named_with_its_sample_and_the_fix(tmp_path, load):
    path = str(tmp_path / 'JPEGImages' / '000007.jpg')
    with pytest.raises(FileNotFoundError) as caught:
        load(dict(img_path=path, img_id='000007'))
    message = str(caught.value)
    assert path in message
    assert "img_id '000007'" in message
    assert 'data_root' in message


@pytest.mark.parametrize('content', [b'', b'not an image at all', b'\xff\xd8\xff'])
def test_undecodable_file_is_refused_by_name(tmp_path, load, content):
    path = tmp_path / 'a.jpg'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='truncated|decoded') as caught:
        load(dict(img_path=str(path), img_id='a'))
    assert str(path) in str(caught.value)
    assert f'{len(content)} bytes' in str(caught.value)


def test_undecodable_for_pillow_too(tmp_path):
    path = tmp_path / 'a.jpg'
    path.write_bytes(b'not an image at all')
    load = CheckedLoadImageFromFile(imdecode_backend='pillow')
    with pytest.raises(ValueError, match="'pillow'"):
        load(dict(img_path=str(path), img_id='a'))


@pytest.mark.parametrize('keep', [None, 0.5])
def test_ignore_empty_skips_bad_images(tmp_path, picture, keep):
    path = tmp_path / 'a.jpg'
    if keep:
        write(path, picture, keep)
    load = CheckedLoadImageFromFile(ignore_empty=True)
    assert load(dict(img_path=str(path), img_id='a')) is None


def test_other_file_errors_keep_their_type(tmp_path, load):
    with pytest.raises(IsADirectoryError):
        load(dict(img_path=str(tmp_path), img_id='a'))
