"""Noise with the promised distribution, and folders of images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmmix.studies.trained.images.outside import folder_images, noise_image, read_image


def test_uniform_noise():
    image = noise_image('uniform', (300, 400), 0)
    assert image.shape == (300, 400, 3)
    shares = np.bincount(image.ravel(), minlength=256) / image.size
    assert shares == pytest.approx(1 / 256, rel=0.15)


def test_gaussian_noise():
    image = noise_image('gaussian', (300, 400), 0)
    # P(N(½, 1) < ½/255) and above 1 - ½/255, by the normal distribution
    assert (image == 0).mean() == pytest.approx(0.3092, abs=0.005)
    assert (image == 255).mean() == pytest.approx(0.3092, abs=0.005)
    assert image.mean() == pytest.approx(127.5, abs=0.7)
    inside = (image > 55) & (image < 200)
    # the share of N(½, 1) between 55.5 and 199.5 of 255
    assert inside.mean() == pytest.approx(0.2224, abs=0.005)


def test_noise_is_the_same_in_every_run_and_another_for_every_image():
    first = noise_image('uniform', (8, 8), 3, seed=1)
    assert (first == noise_image('uniform', (8, 8), 3, seed=1)).all()
    for other in (('uniform', 4, 1), ('uniform', 3, 2), ('gaussian', 3, 1)):
        assert (first != noise_image(other[0], (8, 8), other[1], other[2])).any()
    with pytest.raises(ValueError, match="'salt'"):
        noise_image('salt', (8, 8), 0)


def test_folder_of_images(tmp_path):
    (tmp_path / 'deep').mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    for name in ('b.png', 'deep/a.PNG'):
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / 'notes.txt').write_text('no image')
    paths = folder_images(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        'b.png',
        'deep/a.PNG',
    ]
    assert (read_image(paths[1]) == picture).all()


def test_images_of_other_formats_are_told(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'b.png'), np.zeros((5, 6, 3), np.uint8))
    folder_images(tmp_path)
    assert not capsys.readouterr().out
    (tmp_path / 'c.JFIF').write_bytes(b'')
    assert [path.name for path in folder_images(tmp_path)] == ['b.png']
    assert '1 of .jfif; save them as .jpg or .png' in capsys.readouterr().out
    (tmp_path / 'b.png').unlink()
    with pytest.raises(FileNotFoundError, match='1 of .jfif; save them'):
        folder_images(tmp_path)
    for content in (b'nothing', b''):
        (tmp_path / 'bad.png').write_bytes(content)
        with pytest.raises(ValueError, match='bad.png cannot be decoded'):
            read_image(tmp_path / 'bad.png')
    with pytest.raises(FileNotFoundError, match='no folder'):
        folder_images(tmp_path / 'missing')


def test_pictures_of_earlier_runs_are_no_images_of_a_folder(tmp_path):
    picture = np.zeros((5, 6, 3), np.uint8)
    results = ('predictions/pictures/a.png', 'work_dirs/x/b.png', '.hidden/c.png')
    for name in ('a.png', 'out/drawn/a.png', 'out/a.png', *results):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), picture)
    drawn = tmp_path / 'out' / 'drawn'
    for written in (drawn, drawn / 'a.png'):
        paths = folder_images(tmp_path, written)
        assert paths == [tmp_path / 'a.png', tmp_path / 'out' / 'a.png']
    assert folder_images(drawn, drawn) == [drawn / 'a.png']  # asked for by name
    assert folder_images(tmp_path / 'predictions') == [
        tmp_path / 'predictions' / 'pictures' / 'a.png'
    ]
