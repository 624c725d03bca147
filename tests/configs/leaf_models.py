"""A leaf's model and optimizer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from .config_cases import LEAVES, load, plain

FASTER_RCNN = [
    leaf
    for leaf in LEAVES
    if leaf.startswith(('faster-rcnn_r50_', 'faster-rcnn_r101_'))
]


def model_of(leaf: str) -> dict[str, Any]:
    """A leaf's model as plain dicts, without what makes the method."""
    model = plain(leaf, without_mixing=True)['model']
    model.pop('_scope_', None)
    return model


def optimizer_of(leaf: str, net: nn.Module) -> torch.optim.Optimizer:
    """The built optimizer of a leaf, over a network."""
    return build_optim_wrapper(net, copy.deepcopy(load(leaf).optim_wrapper)).optimizer
