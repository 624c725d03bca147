"""Batches whose images have a plan, and heads as AlignMix builds them."""

from __future__ import annotations

import copy

import torch

from mmmix.models.alignmix import (
    AlignedBoxMix,
    AlignMixRoIHead,
    AlignMixRPNHead,
    AlignMixSSDHead,
)
from mmmix.models.alignmix.fields import TRANSPORT
from mmmix.models.alignmix.transport import Transport

LAMS = [0.8, 0.3, 0.5]


def with_plans(batch, plan, grid, stride):
    """The batch, whose images have a plan."""
    transport = Transport(plan, grid, stride)
    metas = [{**meta, TRANSPORT: transport} for meta in batch.metas]
    return batch._replace(metas=metas)


def identity(batch, side=4, stride=16.0):
    """The batch, with the identity as plan."""
    return with_plans(batch, torch.eye(side**2), (side, side), (stride, stride))


TWINS = {
    'MixSSDHead': AlignMixSSDHead,
    'MixRPNHead': AlignMixRPNHead,
    'MixStandardRoIHead': AlignMixRoIHead,
}


def aligned(head, positives='factored'):
    """The same head as AlignMix builds it, with the supervision of its pairs."""
    twin = copy.copy(head)
    twin.__class__ = TWINS[type(head).__name__]
    twin.supervision = AlignedBoxMix()
    twin.mix_positives = positives
    return twin


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
