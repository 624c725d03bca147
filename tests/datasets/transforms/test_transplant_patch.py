"""Patches on images: place, size, proportions, pixels and boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdet.registry import TRANSFORMS
from mmengine.dataset import Compose

from mmmix.datasets import TransplantPatch
from mmmix.datasets.transforms.transplant_patch import find_patches, read_patch

CLASSES = ('cat', 'dog', 'eel')
EEL, CAT = (12, 96), (30, 24)


def write(path, opacity, color=(10, 200, 90)):
    """A PNG of one BGR colour."""
    bgra = np.dstack([np.full((*opacity.shape, 3), color), opacity]).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), bgra)


def framed(height, width):
    """An opaque rectangle with invisible and faint pixels around it."""
    opacity = np.zeros((height + 9, width + 7))
    opacity[1 : height + 4, 2 : width + 6] = 120  # fainter than a half
    opacity[2 : height + 2, 3 : width + 3] = 255
    return opacity


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('patches')
    write(folder / 'eel/1.png', framed(*EEL))
    for name in ('a', 'b'):
        write(folder / f'cat/{name}.png', framed(*CAT))
    (folder / 'cat/notes.txt').write_text('no patch')
    return folder


def sample(height, width, img_id='x', value=255):
    image = np.full((height, width, 3), value, np.uint8)
    image.flags.writeable = False
    old = dict(bbox=[1, 2, 5, 6], bbox_label=1, ignore_flag=1)
    return dict(img=image, img_id=img_id, instances=[old])


def patch_of(folder, size=(120, 90), img_id='x', value=255, **settings):
    """The result on a flat image, and the patch's box as integers."""
    transform = TransplantPatch(folder, CLASSES, **settings)
    result = transform(sample(*size, img_id, value))
    return result, [int(end) for end in result['patch']['bbox']]


@given(
    st.tuples(st.integers(60, 200), st.integers(60, 200)),
    st.integers(0, 10**6),
    st.sampled_from(['area', 'side']),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_size_place_and_box(folder, size, img_id, measure):
    result, (x1, y1, x2, y2) = patch_of(folder, size, img_id, measure=measure)
    painted = (result['img'] != 255).any(axis=2)
    rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
    tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert [x1, y1, x2, y2] == tight
    assert painted.sum() == (y2 - y1) * (x2 - x1)
    height, width = (CAT, EEL)[result['patch']['bbox_label'] == 2]
    shares = (y2 - y1) / size[0], (x2 - x1) / size[1]
    # The share is in range up to rounding, or the patch fills a side.
    share = max(shares) if measure == 'side' else shares[0] * shares[1]
    half = 0.5 / size[0] + 0.5 / size[1]
    assert share <= 0.4 + half
    assert share >= 0.1 - half or max(shares) == 1
    # Proportions are kept: one scale gives both sides, up to half a pixel.
    scales = [
        ((n - 0.5) / side, (n + 0.5) / side)
        for n, side in ((y2 - y1, height), (x2 - x1, width))
    ]
    assert max(low for low, _ in scales) <= min(high for _, high in scales) + 1e-9


def test_shares_are_uniform_where_the_patch_fits(folder):
    shares = []
    for img_id in range(300):
        result, (x1, y1, x2, y2) = patch_of(folder, (160, 160), img_id)
        if result['patch']['bbox_label'] == 0:
            shares.append((x2 - x1) * (y2 - y1) / 160**2)
    assert 100 < len(shares) < 200  # half of the patches are cats, the class first
    assert np.mean(shares) == pytest.approx(0.25, abs=0.03)
    assert np.std(shares) == pytest.approx(0.3 / 12**0.5, abs=0.015)


def test_what_is_added_and_what_stays(folder):
    given_sample = sample(100, 80)
    given_sample['instances'].append(dict(bbox=[0, 0, 9, 9], bbox_label=0))
    before = list(given_sample['instances'])
    image = given_sample['img']
    result = TransplantPatch(folder, CLASSES, copy=3)(dict(given_sample))
    assert (image == 255).all()
    assert given_sample['instances'] == before
    patch = result['patch']
    box, label = patch['bbox'], patch['bbox_label']
    new = dict(bbox=box, bbox_label=label, ignore_flag=0)
    assert result['instances'] == [*before, new]
    assert result['img_id'] == 'x copy 3'
    assert patch['file'] in ('eel/1.png', 'cat/a.png', 'cat/b.png')
    assert patch['file'].startswith(CLASSES[label])


def test_draws_are_those_of_image_copy_and_seed(folder):
    boxes = {
        (img_id, copy, seed): patch_of(folder, img_id=img_id, copy=copy, seed=seed)[1]
        for img_id in ('x', 'y')
        for copy in (0, 1)
        for seed in (0, 1)
    }
    assert len({tuple(box) for box in boxes.values()}) == 8
    for (img_id, copy, seed), box in boxes.items():
        dark = dict(img_id=img_id, copy=copy, seed=seed, value=3)
        assert patch_of(folder, **dark)[1] == box
    files = {patch_of(folder, img_id=k)[0]['patch']['file'] for k in range(40)}
    assert len(files) == 3


def test_pixels_against_a_loop(tmp_path):
    """A half transparent patch in its own size, blended pixel by pixel."""
    rng = np.random.default_rng(0)
    bgra = rng.integers(128, 256, (20, 16, 4), dtype=np.uint8)
    (tmp_path / 'cat').mkdir()
    cv2.imwrite(str(tmp_path / 'cat/1.png'), bgra)
    image = rng.integers(0, 256, (40, 32, 3), dtype=np.uint8)
    transform = TransplantPatch(tmp_path, CLASSES, (0.5, 0.5), 'side')
    result = transform(dict(img=image, img_id=1))
    x, y, x2, y2 = (int(end) for end in result['patch']['bbox'])
    assert (x2 - x, y2 - y) == (16, 20)
    expected = image.astype(float)
    for i in range(20):
        for j in range(16):
            opacity = bgra[i, j, 3] / 255
            below = expected[y + i, x + j]
            expected[y + i, x + j] = opacity * bgra[i, j, :3] + (1 - opacity) * below
    assert np.abs(result['img'] - expected).max() <= 0.5 + 1e-3


def test_invisible_colours_do_not_bleed(tmp_path):
    """What lies behind full transparency is no part of the patch when resized."""
    bgra = np.full((64, 64, 4), 255, np.uint8)
    yy, xx = np.mgrid[:64, :64]
    outside = (yy - 32) ** 2 + (xx - 32) ** 2 > 28**2
    bgra[outside] = (0, 0, 255, 0)  # invisible red around a white disc
    (tmp_path / 'dog').mkdir()
    cv2.imwrite(str(tmp_path / 'dog/1.png'), bgra)
    for share in ((0.4, 0.4), (1.0, 1.0)):  # shrunk, enlarged
        transform = TransplantPatch(tmp_path, CLASSES, share, 'side')
        result = transform(sample(100, 100))
        assert (result['img'] == 255).all()


def test_in_a_pipeline(folder):
    meta_keys = ('img_id', 'patch', 'scale_factor')
    pipeline = Compose(
        [
            dict(type='TransplantPatch', folder=str(folder), classes=CLASSES),
            dict(type='Resize', scale=(60, 60), keep_ratio=False),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs', meta_keys=meta_keys),
        ]
    )
    packed = pipeline(sample(120, 90))['data_samples']
    assert packed.gt_instances.bboxes.tensor.tolist() == [packed.patch['bbox']]
    assert packed.gt_instances.labels.tolist() == [packed.patch['bbox_label']]
    assert len(packed.ignored_instances) == 1
    assert 'patches=3 of 2 classes' in repr(pipeline.transforms[0])
    assert TRANSFORMS.get('TransplantPatch') is TransplantPatch


def test_wrong_settings_and_samples(folder, tmp_path):
    for wrong in (
        dict(share=(0, 0.4)),
        dict(share=(0.5, 0.4)),
        dict(share=(0.1, 1.1)),
        dict(measure='width'),
    ):
        with pytest.raises(ValueError, match='0 < low <= high <= 1'):
            TransplantPatch(folder, CLASSES, **wrong)
    with pytest.raises(ValueError, match=r"\['eel'\], which are no classes"):
        TransplantPatch(folder, ('cat', 'dog'))
    with pytest.raises(FileNotFoundError, match='cat/1.png'):
        find_patches(tmp_path / 'nothing', CLASSES)
    transform = TransplantPatch(folder, CLASSES)
    with pytest.raises(ValueError, match='before LoadAnnotations'):
        transform(sample(50, 50) | dict(gt_bboxes=[]))
    with pytest.raises(KeyError, match='img_id'):
        transform(dict(img=sample(50, 50)['img']))
    for image in (np.zeros((50, 50, 3), np.uint16), np.zeros((50, 50), np.uint8)):
        with pytest.raises(ValueError, match='TransplantPatch expects uint8 with 3'):
            transform(sample(50, 50) | dict(img=image))


def test_pictures_that_are_no_patches(tmp_path):
    write(tmp_path / 'cat/faint.png', np.full((9, 9), 127))
    cv2.imwrite(str(tmp_path / 'cat/photo.png'), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / 'cat/broken.png').write_bytes(b'no picture')
    for name, message in (
        ('faint', 'no pixel that is half opaque'),
        ('photo', 'no transparency'),
        ('broken', 'cannot be decoded'),
    ):
        with pytest.raises(ValueError, match=message):
            read_patch(tmp_path / f'cat/{name}.png')
