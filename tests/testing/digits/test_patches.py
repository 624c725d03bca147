"""Digits as patches: of the test split, tight, painted, the same in every run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from mmmix.datasets.transforms.transplant_patch import find_patches, read_patch
from mmmix.testing.digits import CLASSES, patches
from mmmix.testing.digits.patches import GLYPH_SIZE, write_patches
from mmmix.testing.digits.sources import samples_of


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'digit_patches'
    assert write_patches(out, count=2)
    return out


def test_a_set_that_can_be_transplanted(folder):
    found = find_patches(folder, CLASSES)
    assert list(found) == list(CLASSES)
    for name, paths in found.items():
        assert [path.name for path in paths] == [f'{name}_0.png', f'{name}_1.png']
        for path in paths:
            patch = read_patch(path)
            assert abs(max(patch.shape[:2]) - GLYPH_SIZE) <= 3
            opacity = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 3]
            assert not np.concatenate([opacity[0], opacity[:, 0]]).any()
            ink = (opacity >= 128).mean()
            assert 0.05 < ink < 0.9


def test_colours_are_those_of_the_paint(monkeypatch, tmp_path):
    """One colour or one per pixel, and in the order of a PNG file."""

    def ramp(domain, background, rng):
        assert domain == 'target'
        return np.arange(background.size).reshape(background.shape) % 256

    rng, sample = np.random.default_rng(0), int(samples_of('test', 3)[0])
    monkeypatch.setattr(patches, 'stroke_paint', ramp)
    patch = patches.make_patch(3, sample, 'target', rng)
    assert (patch[..., :3] == ramp('target', patch[..., :3], rng)).all()
    monkeypatch.setattr(patches, 'stroke_paint', lambda *_: np.array([250, 120.4, -3]))
    assert write_patches(tmp_path / 'one', count=1)
    with Image.open(tmp_path / 'one/nine/nine_0.png') as picture:
        colors = np.asarray(picture)[..., :3].reshape(-1, 3)
    assert (colors == (250, 120, 0)).all()


def test_handwriting_is_that_of_the_test_split(monkeypatch):
    used = []

    def note(label, sample, domain, rng):
        used.append((label, sample))
        return np.full((9, 9, 4), 255, np.uint8)

    monkeypatch.setattr(patches, 'make_patch', note)
    patches._files(3, 'source', 0)
    assert len(set(used)) == 30
    for label, sample in used:
        assert sample in samples_of('test', label)


def test_the_same_in_every_run_and_a_prefix_of_more(folder, tmp_path):
    assert not write_patches(folder, count=2)
    assert write_patches(tmp_path / 'more', count=3)
    assert write_patches(tmp_path / 'other', count=2, seed=1)
    for path in folder.rglob('*.png'):
        name = path.relative_to(folder)
        assert (tmp_path / 'more' / name).read_bytes() == path.read_bytes()
        assert (tmp_path / 'other' / name).read_bytes() != path.read_bytes()
    assert not list(tmp_path.glob('.*'))


def test_other_files_are_left_alone(folder, tmp_path):
    with pytest.raises(FileExistsError, match='other files'):
        write_patches(folder, count=1)
    (tmp_path / 'mine.txt').write_text('mine')
    with pytest.raises(FileExistsError):
        write_patches(tmp_path)
    assert (tmp_path / 'mine.txt').read_text() == 'mine'
    for wrong in (dict(count=0), dict(count=999), dict(seed=-1), dict(domain='no')):
        with pytest.raises(ValueError, match='expected 1 to'):
            write_patches(tmp_path / 'new', **wrong)
    assert not (tmp_path / 'new').exists()
