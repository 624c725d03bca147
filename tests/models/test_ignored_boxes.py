"""HeedingAssigner, and what counts as no boxes to ignore."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmengine.structures import InstanceData

from mmmix.models.ignored_boxes import HeedingAssigner, filled
from mmmix.models.padded_boxes import boxes_of
from mmmix.structures import Annotations

PRIORS = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
BARE = InstanceData(mix_ids=torch.zeros(0, dtype=torch.int64))


def objects(*index):
    """Objects, or boxes to ignore, where priors are."""
    return InstanceData(bboxes=PRIORS[list(index)], labels=torch.zeros(len(index)))


@pytest.mark.parametrize(
    ('found', 'ignored', 'want'),
    [
        ((0,), objects(1), [1, -1, 0]),
        ((), objects(1), [0, -1, 0]),
        ((0,), objects(), [1, 0, 0]),
        ((0,), InstanceData(), [1, 0, 0]),
        ((0,), BARE, [1, 0, 0]),
        ((), BARE, [0, 0, 0]),
        ((), None, [0, 0, 0]),
    ],
)
def test_priors_in_boxes_to_ignore_are_left_out(found, ignored, want):
    assigner = HeedingAssigner(MaxIoUAssigner(0.5, 0.5, ignore_iof_thr=0.5))
    result = assigner.assign(InstanceData(priors=PRIORS), objects(*found), ignored)
    assert result.gt_inds.tolist() == want


def test_instances_of_no_box_are_none():
    some = objects(0)
    assert filled(some) is some
    for none in (None, objects(), InstanceData(), BARE):
        assert filled(none) is None
    parts = [
        Annotations([objects(0), objects(1)], [{}, {}], [InstanceData(), some]),
        Annotations([objects(0), objects(1)], [{}, {}]),
    ]
    assert boxes_of(parts)[1] == [None, some, None, None]
