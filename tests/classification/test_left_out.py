"""Images of folders that a data set passes over are told, with what to do."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from PIL import Image

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import DATASETS

from mmmix.apis.data_checks import check
from mmmix.apis.data_checks.check import sources_of
from mmmix.apis.data_checks.left_out import check_endings, left_out_images
from mmmix.datasets.contents import watched_images

from .tiny_data import write_image

KEY = 'val_dataloader.dataset'


def built(root, **settings):
    """A source, and how many images it reads."""
    config = dict(type='CustomDataset', data_prefix=str(root), **settings)
    with watched_images() as images:
        dataset = DATASETS.build(config)
    (source,) = sources_of(dataset, KEY, {}, images)
    return source, len(dataset)


def found(root, **settings):
    """What is said, with what to do, and how many images are read."""
    source, count = built(root, **settings)
    return list(left_out_images(source)), count


@pytest.fixture
def folders(tmp_path):
    for index, name in enumerate(['a/1.png', 'a/2.JPG', 'b/1.jpg', 'b/c/2.bmp']):
        write_image(tmp_path / name, index)
    for name in ('a/notes.txt', 'a/.3.webp', 'b/Thumbs.db', 'labels.csv'):
        (tmp_path / name).write_bytes(b'')
    return tmp_path


def test_folders_that_are_read_whole_are_no_finding(folders):
    assert found(folders) == ([], 4)
    assert found(folders, with_label=False) == ([], 4)


@pytest.mark.parametrize('labels', [True, False])
def test_images_of_other_endings_are_counted_and_the_setting_reads_them(
    labels, folders
):
    for index, name in enumerate(['a/3.webp', 'b/3.WEBP', 'b/c/4.tiff', 'b/5.jpg']):
        write_image(folders / name, index)
    (folders / 'b/5.jpg').rename(folders / 'b/5.JFIF')
    ((text, fix),), read = found(folders, with_label=labels)
    assert read == 4
    assert text.startswith('4 images are left out')
    assert {*text.partition(': ')[2].split(', ')} == {
        '2 of .webp',
        '1 of .tiff',
        '1 of .jfif',
    }
    key, _, value = fix.removeprefix('set ').partition('=')
    assert key == f'{KEY}.extensions'
    extensions = ast.literal_eval(value)
    assert found(folders, extensions=extensions, with_label=labels) == ([], 8)


def test_images_that_nothing_here_decodes_are_to_be_saved_anew(folders):
    (folders / 'a/3.heic').write_bytes(b'\0\0\0\x18ftypheic' + bytes(40))
    write_image(folders / 'a/4.webp', 4)
    ((text, fix),), _ = found(folders)
    assert '1 of .heic' in text
    setting, _, rest = fix.partition('; ')
    assert "'.webp'" in setting
    assert '.heic' not in setting
    assert rest == (
        'save those of .heic, which cannot be decoded here, as .png or .jpg'
    )


def test_an_animation_is_an_image_too(folders):
    Image.new('P', (8, 8), 3).save(folders / 'b/6.gif')
    ((text, _),), read = found(folders)
    assert (read, text.partition(': ')[2]) == (4, '1 of .gif')


def test_images_beside_the_folders_of_classes_are_told(folders):
    write_image(folders / '7.png', 7)
    Image.new('P', (8, 8), 3).save(folders / '8.GIF')
    ((text, fix),), read = found(folders)
    assert read == 4
    assert text.startswith('2 images lie beside the folders of classes')
    assert str(folders / '7.png') in text
    assert fix == 'move each into the folder of its class'
    ((text, _),), read = found(folders, with_label=False)
    assert (read, text.partition(': ')[2]) == (5, '1 of .gif')


def test_a_start_says_both_with_the_key(folders):
    for name in ('a/9.webp', '10.png'):
        write_image(folders / name, 9)
    source, _ = built(folders)
    first, second = check_endings(source)
    assert first.startswith(f'{KEY}: 1 images are left out')
    assert f'; set {KEY}.extensions=' in first
    assert second.startswith(f'{KEY}: 1 images lie beside')
    assert second.endswith('; move each into the folder of its class')


def test_a_training_says_so_before_it_starts(folders, monkeypatch):
    write_image(folders / 'a/9.webp', 9)
    said = []
    monkeypatch.setattr(check, 'print_log', lambda text, **_: said.append(text))
    dataset = dict(type='CustomDataset', data_prefix=str(folders))

    class Unbuilt:
        """A Runner whose loop builds its data when it is asked for."""

        cfg = Config(dict(train_dataloader=dict(dataset=dataset)))

        @property
        def train_loop(self):
            built = DATASETS.build(dict(dataset))
            return SimpleNamespace(dataloader=SimpleNamespace(dataset=built))

    check.check_data(Unbuilt(), ('train',))
    (text,) = said
    assert text.startswith('train_dataloader.dataset: 1 images are left out')
    assert "'.webp'" in text
