"""The layout of weights in memory."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import torch
from mmdet.registry import HOOKS
from torch import nn

from mmmix.engine.hooks import ChannelsLastHook


def test_convolutions_compute_in_channels_last_and_give_the_same():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3))
    before = copy.deepcopy(net)
    ChannelsLastHook().before_run(SimpleNamespace(model=net))
    weights = net.state_dict()
    for name, value in before.state_dict().items():
        assert torch.equal(weights[name], value)
    images = torch.randn(2, 3, 16, 16)
    found, expected = net(images), before(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert not expected.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_an_optimizer_goes_on_with_the_same_parameters():
    net = nn.Conv2d(3, 8, 3)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    ChannelsLastHook().before_run(SimpleNamespace(model=net))
    before = net.weight.detach().clone()
    net(torch.ones(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    assert not torch.equal(net.weight, before)
    assert net.weight.is_contiguous(memory_format=torch.channels_last)


def test_it_is_registered_where_all_of_mmmix_is():
    assert HOOKS.module_dict['ChannelsLastHook'] is ChannelsLastHook
