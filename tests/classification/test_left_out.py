"""Images of folders that a data set passes over are told with what to set."""

from __future__ import annotations

import ast

import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import DATASETS

from mmmix.apis.data_checks.check import sources_of
from mmmix.apis.run_checks.left_out import check_endings

from .tiny_data import write_image


def found(root, **settings):
    """The findings, and how many images are read."""
    config = dict(type='CustomDataset', data_prefix=str(root), **settings)
    dataset = DATASETS.build(config)
    (source,) = sources_of(dataset, 'val_dataloader.dataset', {})
    return list(check_endings('val', source)), len(dataset)


@pytest.fixture
def folders(tmp_path):
    for index, name in enumerate(['a/1.png', 'a/2.JPG', 'b/1.jpg', 'b/c/2.bmp']):
        write_image(tmp_path / name, index)
    for name in ('a/notes.txt', 'a/.3.webp', 'b/Thumbs.db'):
        (tmp_path / name).write_bytes(b'')
    return tmp_path


def test_folders_that_are_read_whole_are_no_finding(folders):
    assert found(folders) == ([], 4)
    assert found(folders, with_label=False) == ([], 4)


def test_images_of_other_endings_are_counted_and_the_setting_reads_them(folders):
    for index, name in enumerate(['a/3.webp', 'b/3.WEBP', 'b/c/4.tiff']):
        write_image(folders / name, index)
    (finding,), read = found(folders)
    assert (finding.level, finding.check, read) == ('warning', 'val data', 4)
    assert finding.text.endswith('2 of .webp, 1 of .tiff')
    key, _, value = finding.fix.removeprefix('set ').partition('=')
    assert key == 'val_dataloader.dataset.extensions'
    assert found(folders, extensions=ast.literal_eval(value)) == ([], 7)
