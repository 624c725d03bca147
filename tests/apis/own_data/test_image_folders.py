"""Several folders with images of the same names: which one labels mean."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from mmmix.apis.own_data.find import find_layout

from .folders import stem_of, voc_xml, write_coco, write_image, write_voc


def folders_of(layout):
    """The folders of the images of each split, and how many images it has."""
    return {
        name: ({item.image.parent.as_posix() for item in split.items}, len(split.items))
        for name, split in layout.splits.items()
    }


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def coco_in_two(root, counts):
    """A file for each split, and images of the same names in a folder for each."""
    for split, count in counts.items():
        write_coco(root, count)
        (root / 'labels.json').rename(root / f'instances_{split}.json')
        (root / 'images').mkdir(exist_ok=True)
        (root / 'pics').rename(root / 'images' / split)


def voc_in_two(root, counts):
    for split, count in counts.items():
        write_voc(root / split, count)
        for kind, name in (('JPEGImages', 'images'), ('Annotations', 'labels')):
            (root / name).mkdir(exist_ok=True)
            (root / split / kind).rename(root / name / split)
        (root / split).rmdir()


def resized(source, target, size):
    target.mkdir()
    for path in source.iterdir():
        Image.open(path).resize(size).save(target / path.name)


@pytest.mark.parametrize('write', [coco_in_two, voc_in_two])
@pytest.mark.parametrize('counts', [(8, 5), (5, 8), (6, 6)])
def test_each_split_has_the_images_of_its_folder(write, counts, tmp_path):
    write(tmp_path / 'mine', dict(zip(('train', 'val'), counts)))
    assert folders_of(find_layout('mine')) == {
        name: ({f'mine/images/{name}'}, count)
        for name, count in zip(('train', 'val'), counts)
    }


def test_a_split_is_not_that_of_another_folder_with_more_images(tmp_path):
    coco_in_two(tmp_path / 'mine', dict(train=5, val=8))
    (tmp_path / 'mine/images/train').rename(tmp_path / 'mine/images/pictures')
    layout = find_layout('mine')
    assert folders_of(layout)['train'] == ({'mine/images/pictures'}, 5)
    assert layout.splits['train'].settings['data_prefix'] == dict(
        img='images/pictures/'
    )


@pytest.mark.parametrize(
    ('write', 'name'), [(write_coco, 'pics'), (write_voc, 'JPEGImages')]
)
@pytest.mark.parametrize('other', ['_thumbs', 'zoomed'])
def test_images_are_as_large_as_their_labels_say(write, name, other, tmp_path):
    root = write(tmp_path / 'mine', 6)
    resized(root / name, root / other, (24, 16))
    assert folders_of(find_layout('mine')) == {'all': ({f'mine/{name}'}, 6)}


@pytest.mark.parametrize(
    ('write', 'name'), [(write_coco, 'pics'), (write_voc, 'JPEGImages')]
)
@pytest.mark.parametrize('other', ['_some', 'some'])
def test_the_folder_with_most_of_the_images_counts(write, name, other, tmp_path):
    root = write(tmp_path / 'mine', 6)
    write_image(root / other / f'{stem_of(2)}.png', 2)
    assert folders_of(find_layout('mine')) == {'all': ({f'mine/{name}'}, 6)}


@pytest.mark.parametrize(
    ('write', 'name'), [(write_coco, 'pics'), (write_voc, 'JPEGImages')]
)
def test_folders_that_are_alike_are_named(write, name, tmp_path):
    root = write(tmp_path / 'mine', 6)
    resized(root / name, root / 'copy', (96, 64))
    with pytest.raises(ValueError, match=f'mine/{name}.* has 6 images that') as error:
        find_layout('mine')
    assert 'mine/copy' in str(error.value)
    assert 'out of mine' in str(error.value)


def test_the_folder_may_stand_in_the_file_names(tmp_path):
    root = write_coco(tmp_path / 'mine', 6)
    resized(root / 'pics', root / 'copy', (96, 64))
    content = json.loads((root / 'labels.json').read_text())
    for image in content['images']:
        image['file_name'] = f'pics/{image["file_name"]}'
    (root / 'labels.json').write_text(json.dumps(content))
    layout = find_layout('mine')
    assert folders_of(layout) == {'all': ({'mine/pics'}, 6)}
    assert layout.splits['all'].settings['data_prefix'] == dict(img='')


def test_an_image_beside_its_xml_file_comes_first(tmp_path):
    for number in range(5):
        stem = stem_of(number)
        write_image(tmp_path / 'mine/both' / f'{stem}.png', number)
        write_image(tmp_path / 'mine/all' / f'{stem}.png', number)
        path = tmp_path / 'mine/both' / f'{stem}.xml'
        path.write_text(voc_xml('cat'), encoding='utf-8')
    assert folders_of(find_layout('mine')) == {'all': ({'mine/both'}, 5)}


def test_the_outlines_of_voc_are_no_images(tmp_path):
    root = write_voc(tmp_path / 'mine', 5)
    resized(root / 'JPEGImages', root / 'SegmentationObject', (96, 64))
    assert folders_of(find_layout('mine')) == {'all': ({'mine/JPEGImages'}, 5)}


def test_images_in_two_folders_go_where_none_is_lost(tmp_path):
    root = write_voc(tmp_path / 'mine', 6)
    (root / 'more').mkdir()
    name = f'{stem_of(2)}.png'
    (root / 'JPEGImages' / name).rename(root / 'more' / name)
    with pytest.raises(ValueError, match='beside its XML file: there no two'):
        find_layout('mine')
