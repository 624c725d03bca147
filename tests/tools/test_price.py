"""What a step of our heads and mixers may launch and read: an upper bound.

A number that grows is a new operation, or a new wait for the device, and should be
seen in review. The bounds are about a tenth above what was counted.
"""

from __future__ import annotations

import pytest
import torch

from mmmix.structures import split_components
from mmmix.studies.speed.operation_counter import OperationCounter
from tests.helpers import mixed, with_supervision
from tests.models.conformance.roi import FEW, ROI
from tests.models.conformance.rpn import ALL, RPN
from tests.models.conformance.ssd import SSD
from tests.models.conformance.yolov3 import YOLOV3

CASES = {'ssd': (SSD, {}), 'rpn': (RPN, dict(sampler=dict(ALL, num=64)))}
CASES['yolov3'] = (YOLOV3, {})
CASES['roi'] = (ROI, dict(sampler=FEW))
MOST = {
    'ssd': dict(stock=500, Union=150, LossMix=160, BoxMix=165),
    'rpn': dict(stock=440, Union=180, LossMix=240, BoxMix=215),
    'yolov3': dict(stock=600, Union=235, LossMix=300, BoxMix=300),
    'roi': dict(stock=340, Union=235, LossMix=300, BoxMix=290),
}
"""Operations of the losses of three images, and the least of the stock head."""

READS = {'roi': ['nonzero']}
"""What our code reads in a step: how many RoIs were drawn."""


def counted(case, head, preds, batch):
    """Operations and reads of a step after the first, which makes anchors."""
    case.losses(head, preds, batch)
    with OperationCounter() as counter:
        case.losses(head, preds, batch)
    return counter.operations.total(), counter.reads


@pytest.mark.parametrize('name', CASES)
def test_losses_launch_little_and_read_nothing(name):
    case, settings = CASES[name]
    stock, mix = case.build(**settings)
    sides, preds = case.sides(), case.predictions()
    operations, reads = counted(case, stock, preds, sides[0])
    assert operations >= MOST[name]['stock'], operations
    assert reads
    for supervision in ('Union', 'LossMix', 'BoxMix'):
        batch = mixed(*sides, [0.3, 1.0, 0.6])
        for meta, instances in zip(batch.metas, batch.gt_instances):
            ids = instances.mix_ids
            meta['mix_supervision'] = with_supervision(
                mix, type=supervision
            ).supervision
            meta['mix_counts'] = dict(
                gt_instances=tuple(int((ids == k).sum()) for k in (0, 1))
            )
        operations, reads = counted(case, mix, preds, batch)
        assert operations <= MOST[name][supervision], (supervision, operations)
        ours = [place for place in reads if place.line.startswith('mmmix/')]
        assert [place.kind for place in ours] == READS.get(name, []), (ours, reads)
        # mmdet's extractor finds the RoIs of each level.
        assert name == 'roi' or not reads, (supervision, list(reads))


def test_the_counts_are_those_of_the_ids():
    """Components split by counts are the ones that are split by ids."""
    batch = mixed(*SSD.sides(), [0.3, 1.0, 0.6])
    want = split_components(batch)
    for meta, instances in zip(batch.metas, batch.gt_instances):
        counts = torch.bincount(instances.mix_ids, minlength=2).tolist()
        meta['mix_counts'] = dict(gt_instances=tuple(counts))
    for got in (split_components(batch), _with_wrong_counts(batch)):
        for part, expected in zip(got, want):
            for one, other in zip(part.gt_instances, expected.gt_instances):
                assert torch.equal(one.bboxes, other.bboxes)
                assert torch.equal(one.labels, other.labels)
            assert 'mix_counts' not in part.metas[0]


def _with_wrong_counts(batch):
    """Counts of boxes that something has dropped since; the ids are read."""
    for meta in batch.metas:
        meta['mix_counts'] = dict(gt_instances=(1, 99))
    return split_components(batch)
