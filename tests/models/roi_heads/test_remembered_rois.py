"""A RoI that several passes sample is predicted once, and equally."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmix.models.roi_heads.remembered_rois import (
    RememberedRoIs,
    rows_are_independent,
)


class Counting:
    """A forward whose rows are functions of their RoI; it counts what it gets."""

    def __init__(self):
        self.weight = torch.randn(5, 3, requires_grad=True)
        self.counts = []

    def __call__(self, x, rois):
        self.counts.append(len(rois))
        scores = (rois @ self.weight).sin()
        return dict(cls_score=scores, bbox_pred=scores * x[0], bbox_feats=rois)


def rois_of(*numbers):
    """RoIs of image 0 for even numbers, of image 1 for odd ones."""
    return torch.tensor([[n % 2, n, n, n + 5, n + 7] for n in numbers]).float()


def test_each_roi_is_predicted_once():
    forward = Counting()
    remembered = RememberedRoIs(forward)
    for numbers in ((4, 1, 2), (2, 3, 4, 3), (3, 1), (9, 4)):
        want = Counting.__call__(forward, (2.0,), rois_of(*numbers))
        forward.counts.pop()
        got = remembered((2.0,), rois_of(*numbers))
        assert torch.equal(got['cls_score'], want['cls_score'])
        assert torch.equal(got['bbox_pred'], want['bbox_pred'])
    assert forward.counts == [3, 2, 1]


def test_the_same_box_of_another_image_is_another_roi():
    forward = Counting()
    remembered = RememberedRoIs(forward)
    first = remembered((1.0,), torch.tensor([[0.0, 1, 2, 3, 4]]))
    second = remembered((1.0,), torch.tensor([[1.0, 1, 2, 3, 4]]))
    assert forward.counts == [1, 1]
    assert not torch.equal(first['cls_score'], second['cls_score'])


def test_gradients_of_all_passes_add_up():
    forward = Counting()
    remembered = RememberedRoIs(forward)
    passes = [rois_of(4, 1, 2), rois_of(2, 3, 4)]
    sum(
        remembered((1.0,), rois)['cls_score'].pow(2).sum() for rois in passes
    ).backward()
    got, forward.weight.grad = forward.weight.grad, None
    sum(forward((1.0,), rois)['cls_score'].pow(2).sum() for rois in passes).backward()
    torch.testing.assert_close(got, forward.weight.grad)


def test_an_empty_pass():
    forward = Counting()
    remembered = RememberedRoIs(forward)
    assert remembered((1.0,), rois_of(1))['cls_score'].shape == (1, 3)
    assert remembered((1.0,), torch.zeros(0, 5))['cls_score'].shape == (0, 3)
    assert forward.counts == [1]


@pytest.mark.parametrize('module', [nn.BatchNorm2d(2), nn.Dropout(0.1)])
def test_rows_depend_on_others_only_in_training(module):
    head = nn.Sequential(nn.Linear(2, 2), module)
    assert not rows_are_independent(nn.ReLU(), head)
    assert rows_are_independent(nn.ReLU(), head.eval())
