"""Images that look alike, and a split that keeps them together."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from mmmix.apis.own_data.layout import Item
from mmmix.apis.own_data.splitting import draw
from mmmix.commands.make_glyphs import glyph
from mmmix.layouts.near_duplicates import (
    differ_in_detail,
    distances,
    groups_alike,
    pairs_alike,
    perceptual_hash,
)
from mmmix.testing.digits.sources import samples_of


def picture(seed: int) -> Image.Image:
    """Smooth noise, as a photograph of no particular thing."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC)


def test_a_smaller_darker_and_coarser_copy_looks_alike(tmp_path):
    image = picture(0)
    image.save(tmp_path / 'a.png')
    image.resize((160, 120)).save(tmp_path / 'b.jpg', quality=40)
    image.point(lambda value: value * 0.8).save(tmp_path / 'c.webp')
    picture(1).save(tmp_path / 'd.png')
    hashes = [perceptual_hash(path) for path in sorted(tmp_path.iterdir())]
    assert groups_alike(hashes) == [[0, 1, 2], [3]]


def test_a_turned_copy_looks_alike_as_it_is_shown(tmp_path):
    image = picture(0)
    image.save(tmp_path / 'a.png')
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / 'b.jpg', exif=exif)
    first, second = (perceptual_hash(tmp_path / name) for name in ('a.png', 'b.jpg'))
    assert bin(first ^ second).count('1') <= 4


def test_a_broken_file_has_no_hash(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'\x89PNG\r\n')
    assert perceptual_hash(tmp_path / 'a.png') is None


def test_digits_that_share_a_hash_are_told_apart_and_copies_are_not(tmp_path):
    """Every pair of zeros of two writers, and copies of one."""
    pytest.importorskip('sklearn')
    paths = []
    for sample in [*samples_of('train', 0)[:60], *samples_of('val', 0)]:
        paths.append(tmp_path / f'{sample}.png')
        cv2.imwrite(str(paths[-1]), glyph(int(sample)))
    hashes = [perceptual_hash(path) for path in paths]
    pairs = [(i, j + 60) for i, j in pairs_alike(hashes[:60], hashes[60:])]
    assert pairs
    for i, j in pairs:
        first, second = (cv2.imread(str(paths[k]), 0).ravel() for k in (i, j))
        slow = np.corrcoef(first, second)[0, 1]
        assert differ_in_detail(paths[i], paths[j]) == (slow < 0.98)
    assert all(differ_in_detail(paths[i], paths[j]) for i, j in pairs)
    image = Image.open(paths[0])
    image.save(tmp_path / 'coarse.jpg', quality=40)
    image.point(lambda value: value * 0.8).save(tmp_path / 'dark.png')
    image.filter(ImageFilter.GaussianBlur(1)).save(tmp_path / 'smooth.png')
    image.resize((48, 48)).save(tmp_path / 'large.png')
    for name in ('coarse.jpg', 'dark.png', 'smooth.png', 'large.png'):
        assert not differ_in_detail(paths[0], tmp_path / name), name


def test_large_images_and_blank_ones_do_not_differ_in_detail(tmp_path):
    for name, image in (
        ('a.png', picture(0)),
        ('b.png', picture(1)),
        ('white.png', Image.new('L', (20, 20), 255)),
        ('black.png', Image.new('RGB', (30, 20))),
    ):
        image.save(tmp_path / name)
    assert not differ_in_detail(tmp_path / 'a.png', tmp_path / 'b.png')
    assert not differ_in_detail(tmp_path / 'white.png', tmp_path / 'black.png')


def test_distances_and_groups_are_those_of_a_slow_count():
    generator = random.Random(0)
    hashes = [generator.getrandbits(64) for _ in range(40)]
    hashes += [value ^ 0b1011 << 20 for value in hashes[:8]]
    expected = [[bin(a ^ b).count('1') for b in hashes[:9]] for a in hashes]
    assert distances(hashes, hashes[:9]).tolist() == expected
    near = {
        (i, j) for i, row in enumerate(expected) for j, d in enumerate(row) if d < 4
    }
    assert set(pairs_alike(hashes, hashes[:9], 3)) == near
    groups = groups_alike(hashes, 3)
    assert sorted(group for group in groups if len(group) > 1) == [
        [i, 40 + i] for i in range(8)
    ]


@pytest.mark.parametrize('seed', range(5))
def test_the_split_keeps_groups_together_and_its_share(seed):
    class Notes:
        def note(self, *args):
            self.said = args

    generator = random.Random(seed)
    hashes = [generator.getrandbits(64) for _ in range(80)]
    hashes += hashes[:20]  # twins
    items = [Item(i, Path(f'{i}'), hash=value) for i, value in enumerate(hashes)]
    train, val = draw(Notes(), items, 0.2, seed)
    assert len(val) in (19, 20)
    assert sorted(item.key for item in [*train, *val]) == list(range(100))
    assert not {item.hash for item in train} & {item.hash for item in val}
    assert draw(Notes(), items, 0.2, seed)[1] == val
    assert draw(Notes(), items, 0.2, seed + 1)[1] != val
