"""The layout of weights in memory."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from mmcv import ops
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


class Regions(nn.Module):
    """Features of regions, cut out by an op of mmcv's."""

    def __init__(self, op: nn.Module, *rois: tuple[float, ...]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.op = op
        self.rois = torch.tensor(rois)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        named = dict(rois=self.rois) if len(self.rois) else {}
        return self.op(self.conv(images), **named)


@pytest.mark.parametrize(
    'net',
    [
        Regions(ops.RoIAlign(5, 1.0, 0), (0, 1.0, 2, 9, 8), (1, 0.0, 0, 14, 14)),
        Regions(ops.RoIAlignRotated(5, 1.0, 0), (1, 7.0, 7, 6, 4, 0.5)),
        Regions(ops.ModulatedDeformConv2dPack(8, 4, 3)),
        Regions(ops.DeformConv2dPack(8, 4, 3)),
    ],
    ids=lambda net: type(net.op).__name__,
)
def test_ops_of_mmcv_that_read_raw_memory_give_the_same(net):
    torch.manual_seed(0)
    before = copy.deepcopy(net)
    for _ in range(2):  # a test after a training converts once more
        ChannelsLastHook().before_run(SimpleNamespace(model=net))
    images = torch.randn(2, 3, 16, 16)
    found, expected = net(images), before(images)
    assert net.conv(images).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    gradients = [
        torch.autograd.grad(out.square().sum(), list(of.parameters()))
        for out, of in ((found, net), (expected, before))
    ]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3)
    assert len(net.op._forward_pre_hooks) == 1


def test_it_is_registered_where_all_of_mmmix_is():
    assert HOOKS.module_dict['ChannelsLastHook'] is ChannelsLastHook
