"""Losses on a GPU are those on the CPU; on the CPU the test tries itself."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from tests.helpers import mixed, total, with_supervision

from .case import close
from .cases import SUPERVISIONS

DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.cuda)]


def moved(value, device):
    """Predictions or annotations on a device, cut off and trainable."""
    if isinstance(value, (list, tuple)):
        rows = [moved(one, device) for one in value]
        return type(value)(*rows) if hasattr(value, '_fields') else type(value)(rows)
    if isinstance(value, torch.Tensor):
        return value.detach().to(device).requires_grad_(value.requires_grad)
    return value.to(device) if isinstance(value, InstanceData) else value


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=lambda s: s['type'])
def test_losses_are_those_of_the_cpu(case, sides, supervision, device):
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('needs a GPU')
    head = with_supervision(case.build()[1], **supervision)
    preds, batch = case.predictions(), mixed(*sides, (0.9, 0.3, 1.0))
    want = case.totals(head, preds, batch)
    got = total(
        case._losses(head.to(device), moved(preds, device), moved(batch, device))
    )
    sum(got[name] for name in (*case.cls, *case.reg)).backward()
    close({n: v.cpu() for n, v in got.items()}, want, rtol=1e-4, atol=1e-5)
