"""The classification loss of RoIs that take shares of several classes."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.losses import CrossEntropyLoss
from mmengine.config import ConfigDict

from mmmix.models.alignmix.soft_rois import soft_cls_loss
from mmmix.models.roi_heads.shared_rois import SharedRoIs
from mmmix.structures import LOSS_FACTORS, Annotations, Factors
from mmmix.studies.speed.operation_counter import OperationCounter
from tests.helpers import annotations

NUM_CLASSES, SIZES, LAMS = 5, (7, 4, 3), (0.3, 1.0, 0.6)


def images(counts, generator):
    """RoIs with shares of at most as many classes as there are boxes."""
    found = []
    for count, size in zip(counts, SIZES):
        shares = torch.zeros(size, NUM_CLASSES + 1)
        columns = torch.randperm(NUM_CLASSES, generator=generator)[:count].tolist()
        columns.append(NUM_CLASSES)
        shares[:, columns] = torch.rand(size, len(columns), generator=generator)
        shares[0] = 0
        found.append(SharedRoIs(torch.zeros(size, 4), [], [], torch.arange(0), shares))
    return found


@pytest.mark.parametrize('counts', [(3, 1, 2), (0, 0, 0), (40, 0, 1)])
def test_the_loss_is_soft_cross_entropy_and_waits_for_nothing(counts):
    generator = torch.Generator().manual_seed(0)
    shared = images(counts, generator)
    batch = annotations(counts, 0, 64)
    metas = [
        {**meta, LOSS_FACTORS: Factors(lam, 1.0)}
        for meta, lam in zip(batch.metas, LAMS)
    ]
    part = Annotations(batch.gt_instances, metas)
    scores = torch.randn(sum(SIZES), NUM_CLASSES + 1, generator=generator)
    scores.requires_grad_()
    head = ConfigDict(loss_cls=CrossEntropyLoss(), num_classes=NUM_CLASSES)
    with OperationCounter() as counter:
        loss = soft_cls_loss(head, None, scores, shared, part)['loss_cls']
    shares = torch.cat([lam * image.shares for lam, image in zip(LAMS, shared)])
    want = -(shares * scores.log_softmax(1)).sum() / sum(SIZES)
    torch.testing.assert_close(loss, want)
    got, other = (
        torch.autograd.grad(x, scores, retain_graph=True)[0] for x in (loss, want)
    )
    torch.testing.assert_close(got, other)
    assert not counter.reads
