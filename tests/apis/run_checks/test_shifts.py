"""What is trained on against unlabelled images and the other splits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mmmix.apis.data_checks.class_names import Source
from mmmix.apis.run_checks.data_sets import Loaded
from mmmix.apis.run_checks.shifts import check_shifts

CLASSES = ('cat', 'dog')


class Data(list):
    """A data set of infos, resized to 100 x 100 pixels."""

    pipeline = SimpleNamespace(
        transforms=[SimpleNamespace(scale=(100, 100), keep_ratio=False)]
    )
    get_data_info = list.__getitem__


def source(count, side, labels=(0, 1), size=(200, 200), labelled=True):
    """Images with one square object each, of labels in turn."""
    box = [0, 0, side, side]
    objects = [
        [dict(bbox=box, bbox_label=labels[n % len(labels)], ignore_flag=0)] * labelled
        for n in range(count)
    ]
    infos = [dict(width=size[0], height=size[1], instances=some) for some in objects]
    return Source('key', Data(infos), CLASSES, labelled, None)


def found(**splits):
    return {item.check: item for item in check_shifts(Loaded(sources=splits))}


def test_like_data_are_fine():
    some = found(train=[source(40, 60)], val=[source(20, 80)])
    assert {item.level for item in some.values()} == {'ok'}
    # a resize from 200 to 100 pixels halves 80 and 60
    assert some['val objects'].text.startswith('40 px')
    assert 'train on 30 px' in some['val objects'].text
    assert 'differ by 0%' in some['val classes'].text


@pytest.mark.parametrize(('side', 'level'), [(119, 'ok'), (120, 'warning')])
def test_objects_of_another_size(side, level):
    some = found(train=[source(40, 60)], test=[source(20, side)])
    assert some['test objects'].level == level


def test_other_shares_of_classes():
    # three cats of four, and one of five: 11 of 20 objects would have to change
    some = found(
        train=[source(40, 60, (0, 0, 0, 1))], val=[source(20, 60, (0, *[1] * 4))]
    )
    finding = some['val classes']
    assert finding.level == 'warning'
    assert 'differ by 55%' in finding.text
    assert 'cat 20% (train 75%)' in finding.text


@pytest.mark.parametrize(
    ('size', 'level'), [((300, 400), 'ok'), ((800, 200), 'warning')]
)
def test_unlabelled_images_of_another_size(size, level):
    bare = source(5, 0, size=size, labelled=False)
    finding = found(train=[source(40, 60), bare])['unlabelled images']
    assert finding.level == level
    assert f'5 of {size[0]} x {size[1]} pixels' in finding.text
    assert '40 labelled ones of 200 x 200' in finding.text


def test_few_objects_say_nothing():
    assert found(train=[source(40, 60)], val=[source(19, 180)]) == {}
