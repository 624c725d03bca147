"""Calls that several passes share."""

from __future__ import annotations

import pytest
import torch
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
