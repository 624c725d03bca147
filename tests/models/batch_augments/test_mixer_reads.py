"""How often a device is waited for when a batch is mixed."""

from __future__ import annotations

import pytest

from mmmix.models import CutMixBatch, MixBatch
from mmmix.studies.speed.operation_counter import OperationCounter

from .batches import batch_of


@pytest.mark.parametrize(
    ('kind', 'supervision', 'reads'),
    [
        (MixBatch, 'LossMix', 1),  # of the check that boxes are valid
        (CutMixBatch, 'LossMix', 1),
        (CutMixBatch, 'Visible', 3),  # and of what is seen, of objects and of ignored
        (CutMixBatch, 'Union', 3),
    ],
)
@pytest.mark.parametrize('count', [2, 6])
def test_a_device_waits_no_longer_for_more_images(kind, supervision, reads, count):
    inputs, samples = batch_of([(64, 96), (80, 64)] * (count // 2))
    mixer = kind(
        ratio=dict(type='Constant', value=0.5), supervision=dict(type=supervision)
    )
    with OperationCounter() as counter:
        _, mixed = mixer(inputs, samples)
    assert sum(counter.reads.values()) == reads
    before = sum(len(sample.gt_instances) for sample in samples)
    after = sum(len(sample.gt_instances) for sample in mixed)
    assert (after < 2 * before) == (supervision in ('Visible', 'Union'))
