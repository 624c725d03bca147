"""Two images, or two files of labels, whose names differ in their ending alone."""

from __future__ import annotations

import shutil

import pytest
from mmdet.registry import DATASETS

from mmmix.apis.own_data.find import find_layout

from .folders import CLASSES, stem_of, write_image, write_voc, write_yolo

FIRST = stem_of(0)


def refused(data, first, second):
    with pytest.raises(ValueError, match='have one name') as caught:
        find_layout(data)
    assert str(caught.value).startswith(
        f'{data / first} and {data / second} have one name, and '
    )


@pytest.mark.parametrize(
    ('write', 'folder'), [(write_voc, 'JPEGImages'), (write_yolo, 'images')]
)
def test_two_images_are_refused(tmp_path, write, folder):
    data = write(tmp_path / 'data')
    write_image(data / folder / f'{FIRST}.jpg', 77)
    refused(data, f'{folder}/{FIRST}.jpg', f'{folder}/{FIRST}.png')


def test_two_images_beside_their_labels_are_refused(tmp_path):
    data = write_voc(tmp_path / 'data')
    for path in (data / 'Annotations').iterdir():
        path.rename(data / 'JPEGImages' / path.name)
    find_layout(data)
    write_image(data / f'JPEGImages/{FIRST}.bmp', 77)
    refused(data, f'JPEGImages/{FIRST}.bmp', f'JPEGImages/{FIRST}.png')


def test_two_files_of_labels_are_refused(tmp_path):
    data = write_voc(tmp_path / 'data')
    labels = data / 'Annotations'
    shutil.copy(labels / f'{FIRST}.xml', labels / f'{FIRST}.XML')
    refused(data, f'Annotations/{FIRST}.XML', f'Annotations/{FIRST}.xml')


def test_images_that_nothing_names_may_be_alike(tmp_path):
    """As masks are: no label, and no list, means them."""
    voc, yolo = write_voc(tmp_path / 'voc'), write_yolo(tmp_path / 'yolo')
    for suffix in ('.jpg', '.png'):
        write_image(voc / f'JPEGImages/unlabelled{suffix}', 77)
    write_image(voc / f'masks/{FIRST}.png', 78)
    write_image(yolo / f'images/{FIRST}.jpg', 77)
    (yolo / 'train.txt').write_text(f'images/{FIRST}.png\n')
    assert len(find_layout(voc).splits['all'].items) == 12
    assert len(find_layout(yolo).splits['train'].items) == 1


def test_a_data_set_refuses_images_that_were_added_since(tmp_path):
    data = write_yolo(tmp_path / 'data')
    write_image(data / f'images/{FIRST}.jpg', 77)
    config = dict(
        type='YOLODataset',
        data_root=str(data),
        data_prefix=dict(img='images/'),
        metainfo=dict(classes=CLASSES),
    )
    with pytest.raises(ValueError, match=rf'{FIRST}.jpg and .*{FIRST}.png have one'):
        DATASETS.build(config)
    assert len(DATASETS.build(dict(config, labelled=False))) == 13
