"""Which files of a folder count as data."""

from __future__ import annotations

import pytest

from mmmix.apis.own_data.find import find_layout
from mmmix.layouts.files_below import files_below

from .folders import WRITERS, stem_of, write_coco, write_image, write_voc, write_yolo


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


def test_a_folder_may_be_called_after_a_split(tmp_path):
    for kind, write in WRITERS.items():
        layout = find_layout(write(tmp_path / f'test {kind}'))
        assert set(layout.splits) == {'all'}


def test_a_namespace_is_refused(tmp_path):
    """Under it nothing finds an object: the image would count as empty."""
    write_voc(tmp_path)
    path = tmp_path / 'Annotations' / f'{stem_of(3)}.xml'
    text = path.read_text().replace('<annotation>', '<annotation xmlns="http://a/b">')
    path.write_text(text)
    said = f"{stem_of(3)}.xml: its elements have the namespace 'http://a/b'"
    with pytest.raises(ValueError, match=said):
        find_layout(tmp_path)
    for other in path.parent.iterdir():  # nor are they called no VOC if all have one
        other.write_text(text)
    with pytest.raises(ValueError, match='delete xmlns="http://a/b" from the first'):
        find_layout(tmp_path)


def test_images_of_formats_that_nothing_reads_are_told(tmp_path):
    data = write_yolo(tmp_path / 'data')
    assert not [note for note in find_layout(data).notes if 'left out' in note]
    for name in ('a.gif', 'b.GIF', 'deep/c.heic', 'notes.md'):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(b'')
    expected = (
        '3 images are left out for what their files end in: 2 of .gif, 1 of .heic; '
        'save them as .jpg or .png'
    )
    assert find_layout(data).notes.count(expected) == 1
    (tmp_path / 'bare').mkdir()
    (tmp_path / 'bare/a.avif').write_bytes(b'')
    with pytest.raises(FileNotFoundError, match='1 of .avif; save them as .jpg'):
        find_layout(tmp_path / 'bare')


def test_folders_of_classes_are_sent_to_classifiers(tmp_path):
    write_image(tmp_path / 'cat/1.png', 1)
    with pytest.raises(FileNotFoundError, match='no labels') as caught:
        find_layout(tmp_path)
    assert 'classifier' not in str(caught.value)
    write_image(tmp_path / 'dog/1.png', 2)
    with pytest.raises(FileNotFoundError, match='train a classifier'):
        find_layout(tmp_path)
