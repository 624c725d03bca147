"""Boxes that reach out of their images."""

from __future__ import annotations

import pytest

from mmmix.apis.data_checks.class_names import Source
from mmmix.apis.run_checks.data_sets import Loaded
from mmmix.apis.run_checks.reach import check_reach


class Data(list):
    get_data_info = list.__getitem__


def found(*boxes, labelled=True, **more):
    """What is said of boxes of images of 100 x 50 pixels."""
    size = {**dict(width=100, height=50), **more}
    infos = [
        dict(size, img_path=f'{n}.jpg', instances=[dict(bbox=box, bbox_label=0)])
        for n, box in enumerate(boxes)
    ]
    source = Source('key', Data(infos), ('cat',), labelled, None)
    return list(check_reach(Loaded(sources=dict(val=[source]))))


INSIDE = [10, 10, 40, 40]


@pytest.mark.parametrize(
    'box', [[-11, 0, 9, 9], [0, -6, 9, 9], [80, 0, 111, 9], [0, 0, 9, 56]]
)
def test_boxes_that_reach_far_are_counted(box):
    (finding,) = found(INSIDE, box, INSIDE)
    assert (finding.level, finding.check) == ('warning', 'val boxes')
    assert finding.text == (
        '1 of 3 reach out of their images by more than 10% of a side, such as in 1.jpg'
    )
    assert found(*[INSIDE] * 9, box) == []  # one in ten is tolerated
    assert found(box, labelled=False) == []
    assert found(box, height=None) == []


def test_boxes_that_an_edge_cuts_are_fine():
    assert found([-10, -5, 110, 55], INSIDE) == []
    assert found() == []
