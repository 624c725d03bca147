"""Calls that several passes share."""

from __future__ import annotations

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn

from mmmix.models.detectors.remembered_calls import remembered_calls


class Counter(nn.Module):
    """Counts how often it computes something."""

    def __init__(self):
        super().__init__()
        self.runs = 0

    def forward(self, x, scale=1.0):
        self.runs += 1
        return x * scale


def test_the_same_objects_give_the_same_result_once():
    module, one, two = Counter(), torch.ones(2), torch.ones(2)
    scale = 3.0
    with remembered_calls((module, 'forward')):
        results = [
            module(one),
            module(one),
            module(two),
            module(one, scale),
            module(one, scale=scale),
            module(one, scale=scale),
        ]
        assert module.runs == 4
        assert results[0] is results[1]
        assert results[4] is results[5]
        assert results[2] is not results[0]
    assert [result.tolist() for result in results] == [[1, 1]] * 3 + [[3, 3]] * 3


class Proposing(Counter):
    """Proposals of images, and settings."""

    def forward(self, x, metas, samples):
        self.runs += 1
        return [InstanceData(bboxes=x) for _ in metas], dict(scale=x)


def test_images_do_not_count_and_callers_have_their_own():
    """Metainfo and samples are new lists in each pass; boxes are popped by callers."""
    module, x = Proposing(), torch.ones(2, 4)
    with remembered_calls((module, 'forward')):
        for _ in range(2):
            metas, samples = [dict(img_id=i) for i in range(3)], [DetDataSample()] * 3
            found, settings = module(x, metas, samples=samples)
            assert len(found) == 3
            assert all(one.pop('bboxes') is x for one in found)
            assert settings.pop('scale') is x
        module(x.clone(), metas, samples=samples)
    assert module.runs == 2


def test_nothing_is_remembered_after_the_block():
    module, x = Counter(), torch.ones(2)

    def fail():
        with remembered_calls((module, 'forward')):
            module(x)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert 'forward' not in vars(module)
    module(x)
    assert module.runs == 2


def test_a_replaced_method_comes_back():
    """As a compiled ``forward`` is one."""
    module, x = Counter(), torch.ones(2)
    module.forward = compiled = lambda x: x + 1
    with remembered_calls((module, 'forward')):
        assert module(x) is module(x)
        assert module(x).tolist() == [2, 2]
    assert module.forward is compiled
