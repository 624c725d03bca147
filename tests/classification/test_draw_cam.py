"""Pictures of activation maps: the boxes are where they belong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmmix.classification.localization.draw_cam import GREEN, RED, draw_cam
from mmmix.commands import browse_cam

from .test_studies import given  # noqa: F401  a fixture


def sides_of(picture, colour):
    """First and last column and row of a colour, ends exclusive."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_boxes_are_drawn_in_pixels_of_the_enlarged_image():
    image = np.full((32, 64, 3), 128, dtype=np.uint8)
    cam = np.zeros((4, 8))
    cam[1:3, 5:7] = 1.0
    truth = np.array([[8, 4, 24, 20]])
    picture = draw_cam(image, cam, truth, sigma=0.6)
    assert picture.shape == (32 * 7, 2 * 64 * 7, 3)
    left = picture[:, : 64 * 7]
    # Lines are two pixels wide, one of them outside.
    np.testing.assert_allclose(sides_of(left, GREEN), [56, 28, 168, 140], atol=1)
    # Above .6 of the maximum the enlarged map keeps about its cells: 40 to 56, 8 to 24.
    np.testing.assert_allclose(sides_of(left, RED), [280, 56, 392, 168], atol=14)
    heat = picture[:, 64 * 7 :]
    y, x = 16 * 7, 48 * 7
    assert heat[y, x, 2] > heat[y, x, 0]  # red where the map is high
    assert heat[2, 2, 0] > heat[2, 2, 2]  # blue where it is low


def test_the_command_writes_a_picture_of_each(given, tmp_path, capsys):  # noqa: F811
    model = given[0].partition('=')[2]
    browse_cam.main([model, '--out', str(tmp_path), '--count', '3', '--device', 'cpu'])
    assert '3 pictures' in capsys.readouterr().out
    files = sorted(tmp_path.glob('*.png'))
    assert [file.name[:5] for file in files] == ['00000', '00002', '00003']
    assert [file.stem.rpartition('_is_')[2] for file in files] == ['a', 'c', 'd']
    assert cv2.imread(str(files[0])).shape == (256, 512, 3)
    with pytest.raises(SystemExit):
        browse_cam.main([model, '--out', str(tmp_path), '--sigma', '2'])
