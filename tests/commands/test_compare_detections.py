"""Images of a folder to draw beside one another."""

from __future__ import annotations

from PIL import Image

from mmmix.commands.compare_detections import images_of_folder


def test_the_picture_of_an_earlier_run_is_not_drawn_again(tmp_path):
    written = tmp_path / 'side_by_side.png'
    for path in (tmp_path / 'a.png', written):
        Image.new('RGB', (8, 6)).save(path)
    images = images_of_folder(tmp_path, 5, written)
    assert [info['img_path'] for _, info in images] == ['a.png']
