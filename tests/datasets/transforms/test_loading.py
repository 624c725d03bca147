"""Tests of CheckedLoadImageFromFile, with files that are really cut off."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from PIL import Image

from mmmix.datasets.transforms.loading import CheckedLoadImageFromFile
from mmmix.layouts.image_files import check_pixels, read_header

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


def write_turned(path: Path, picture: np.ndarray, orientation: int) -> str:
    """Write a JPEG with an EXIF tag."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(path, exif=exif, quality=95)
    return str(path)


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_turned_photo_follows_the_size_of_its_annotation(
    tmp_path, picture, orientation, backend
):
    path = write_turned(tmp_path / 'a.jpg', picture, orientation)
    load = CheckedLoadImageFromFile(imdecode_backend=backend)
    stored = load(dict(img_path=path, img_id='a', width=80, height=60))
    assert stored['img_shape'] == stored['ori_shape'] == (60, 80)
    shown = LoadImageFromFile(imdecode_backend=backend)(dict(img_path=path))['img']
    if orientation < 5:  # the size does not tell: as mmdet
        assert np.array_equal(stored['img'], shown)
        return
    raw = LoadImageFromFile(
        imdecode_backend=backend, color_type='color_ignore_orientation'
    )(dict(img_path=path))['img']
    assert np.array_equal(stored['img'], raw)
    assert stored['img'].flags.c_contiguous
    turned = load(dict(img_path=path, img_id='a', width=60, height=80))
    assert np.array_equal(turned['img'], shown)
    assert turned['img_shape'] == (80, 60)
    header = read_header(path)
    assert header == (80, 60, orientation)
    assert header.shown == (60, 80)


def test_turning_back_is_said_once(tmp_path, picture, load, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmix.datasets.transforms.loading.print_log',
        lambda text, **_: said.append(text),
    )
    path = write_turned(tmp_path / 'a.jpg', picture, 8)
    for _ in range(3):
        load(dict(img_path=path, img_id='a', width=80, height=60))
    (text,) = said
    assert path in text
    assert 'EXIF' in text


@pytest.mark.parametrize('size', [(40, 30), (60, 80), (80, 61)])
def test_another_size_than_annotated_is_refused(tmp_path, picture, load, size):
    path = write(tmp_path / 'a.png', picture)
    sample = dict(img_path=path, img_id='a', width=size[0], height=size[1])
    with pytest.raises(ValueError, match='80 x 60 pixels') as caught:
        load(dict(sample))
    assert f'says {size[0]} x {size[1]}' in str(caught.value)
    assert path in str(caught.value)
    free = CheckedLoadImageFromFile(check_size=False)
    assert free(dict(sample))['img_shape'] == (60, 80)


def test_limit_of_pixels(tmp_path, picture):
    path = write(tmp_path / 'a.png', picture)
    sample = dict(img_path=path, img_id='a')
    assert CheckedLoadImageFromFile(max_pixels=4800)(dict(sample))
    assert CheckedLoadImageFromFile(max_pixels=None)(dict(sample))
    with pytest.raises(ValueError, match='80 x 60 pixels, and the limit is 4799'):
        CheckedLoadImageFromFile(max_pixels=4799)(dict(sample))
    limit = Image.MAX_IMAGE_PIXELS
    assert read_header(path, None) == (80, 60, 1)
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize('options', [dict(), dict(progressive=True), dict(exif=b'')])
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'BMP'])
def test_pixels_are_counted_before_decoding(tmp_path, picture, kind, options):
    path = tmp_path / 'a'
    exif = Image.Exif()
    exif[0x010E] = 'x' * 30000  # a long segment before the frame's
    options = dict(options, exif=exif) if 'exif' in options else options
    Image.fromarray(picture).save(path, kind, **options)
    with path.open('rb') as file:
        check_pixels(file, str(path), 4800)
        with pytest.raises(ValueError, match='80 x 60 pixels'):
            check_pixels(file, str(path), 4799)


@pytest.mark.parametrize('head', [b'\xff\xd8', b'\xff\xd8\xff\xc0\0', b'\x89PNG', b''])
def test_heads_that_break_off_have_no_size(tmp_path, head):
    (tmp_path / 'a').write_bytes(head)
    with (tmp_path / 'a').open('rb') as file:
        check_pixels(file, 'a', 1)
    assert read_header(str(tmp_path / 'a'), 1) is None
