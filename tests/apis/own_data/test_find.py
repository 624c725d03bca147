"""Which files of a folder count as data."""

from __future__ import annotations

from mmmix.apis.own_data.find import find_layout
from mmmix.layouts.files_below import files_below

from .folders import write_coco, write_image, write_yolo


def test_predictions_in_the_folder_are_no_data(tmp_path):
    data = write_yolo(tmp_path / 'data')
    before = files_below(data)
    write_coco(data / 'predictions')
    write_image(data / 'deep' / 'predictions' / 'pictures' / 'a.png', 0)
    assert files_below(data) == before
    assert find_layout(data).kind == 'yolo'
    assert find_layout(data / 'predictions').kind == 'coco'  # asked for by name


def test_a_manifest_that_counts_images_is_no_coco_file(tmp_path):
    """As the data sets have one that our converters make."""
    data = write_yolo(tmp_path / 'data')
    (data / 'manifest.json').write_text('{"coco": false, "images": 1700, "boxes": 9}')
    assert find_layout(data).kind == 'yolo'
