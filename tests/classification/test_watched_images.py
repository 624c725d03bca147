"""The labels of images are noted while they are loaded, and say what they said."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmengine.dataset import BaseDataset
from mmpretrain.registry import DATASETS

from mmmix.apis.data_checks.check import sources_of
from mmmix.apis.data_checks.image_labels import check_image_labels
from mmmix.datasets.contents import watched_images

NAMES = tuple('abcdefghij')


@pytest.fixture
def config(tmp_path):
    """Twenty images; their labels are written by ``listed``."""
    return dict(
        type='CustomDataset',
        data_root=str(tmp_path),
        ann_file='list.txt',
        metainfo=dict(classes=NAMES),
    )


def listed(config, labels):
    lines = [f'{k}.png {label}\n' for k, label in enumerate(labels)]
    with open(f'{config["data_root"]}/list.txt', 'w') as file:
        file.writelines(lines)


def watched(config):
    """A data set's source with its notes, loaded as without."""
    with watched_images() as images:
        dataset = DATASETS.build(config)
    (source,) = sources_of(dataset, 'key', {}, images)
    return source


def said(source, count):
    try:
        check_image_labels(source, count)
    except ValueError as error:
        return str(error)
    return None


LABELS = {
    'right': [*range(10), *range(10)],
    'from 1': range(1, 11),
    'two of them': [3, -1, 4, 12, 4],
    'many': [*[11] * 4, 0, *[-2] * 9, 11],
    'too few classes in the model': [1, 0, 9, 8, 9],
}


@pytest.mark.parametrize('serialize', [True, False])
@pytest.mark.parametrize('name', LABELS)
def test_notes_say_what_reading_the_labels_again_said(name, serialize, config):
    listed(config, LABELS[name])
    source = watched(dict(config, serialize_data=serialize))
    assert source.images.counts == Counter(LABELS[name])
    anew = source._replace(images=None)
    for count in (10, 9, None):
        assert said(source, count) == said(anew, count)
    right = all(0 <= label < 10 for label in LABELS[name])
    assert (said(source, 10) is None) == right


def test_the_first_of_many_are_named_in_the_order_of_the_file(config):
    listed(config, LABELS['many'])
    text = said(watched(config), 10)
    first = [f'{config["data_root"]}/{k}.png has 11' for k in range(4)]
    some = ', '.join([*first, f'{config["data_root"]}/5.png has -2'])
    assert f'got {some} and 9 more.' in text


def test_images_that_are_not_kept_are_not_noted(config):
    listed(config, [0, 1, 2, 11, 4])
    source = watched(dict(config, indices=[0, 4, 2]))
    assert source.images.counts == {0: 1, 4: 1, 2: 1}
    assert source.images.first == {
        label: [(place, f'{config["data_root"]}/{label}.png')]
        for place, label in enumerate((0, 4, 2))
    }
    assert said(source, 10) is None


def test_labels_are_read_from_the_list_and_no_image_is_unpickled(config, monkeypatch):
    listed(config, range(10))
    source = watched(config)
    monkeypatch.setattr(BaseDataset, 'get_data_info', None)
    check_image_labels(source, 10)
    with pytest.raises(ValueError, match='9.png has 9'):
        check_image_labels(source, 9)


def test_what_is_loaded_is_the_same_and_nothing_stays_replaced(config):
    listed(config, range(10))
    stock = BaseDataset.full_init
    with watched_images():
        dataset = DATASETS.build(config)
    assert BaseDataset.full_init is stock
    plain = DATASETS.build(config)
    assert vars(dataset).keys() == vars(plain).keys()
    assert np.array_equal(dataset.data_bytes, plain.data_bytes)
    assert dataset.get_data_info(3) == plain.get_data_info(3)


def test_labels_of_several_classes_and_of_several_tasks(config):
    infos = [
        dict(img_path='x', gt_label=np.array([1, 4])),
        dict(img_path='y', gt_label=dict(colour=3)),
        dict(img_path='z', gt_label=[4]),
    ]
    listed(config, [0])
    with watched_images() as images:
        dataset = DATASETS.build(dict(config, lazy_init=True))
        dataset.load_data_list = lambda: infos
        dataset.full_init()
    notes = images[id(dataset)]
    assert notes.counts == {1: 1, 4: 2}
    assert notes.first == {1: [(0, 'x')], 4: [(1, 'x'), (2, 'z')]}
