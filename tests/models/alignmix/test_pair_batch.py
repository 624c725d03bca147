"""PairBatch: partners on record, pixels left alone."""

from __future__ import annotations

import pytest
import torch
from mmdet.registry import MODELS

from mmmix.models import PairBatch
from mmmix.models.alignmix import AlignedBoxMix
from mmmix.models.alignmix.fields import MIX_PARTNER, MIX_SIZES
from tests.models.batch_augments.batches import batch_of

SHAPES = [(160, 120), (100, 160), (160, 160)]
LAM = 0.4
BASE = dict(type='PairBatch', ratio=dict(type='Constant', value=LAM))


def test_pairs_leave_pixels_alone():
    inputs, samples = batch_of(SHAPES)
    same, mixed = MODELS.build(BASE)(inputs, samples)
    assert same is inputs
    for i, sample in enumerate(mixed):
        meta, j = sample.metainfo, sample.metainfo[MIX_PARTNER]
        assert j != i
        assert meta['mix_weights'] == (LAM, 1 - LAM)
        assert meta['mix_supervision'] == AlignedBoxMix()
        assert meta[MIX_SIZES] == (samples[i].img_shape, samples[j].img_shape)
        own, other = (samples[k].gt_instances for k in (i, j))
        boxes = torch.cat([own.bboxes, other.bboxes])
        assert torch.equal(sample.gt_instances.bboxes, boxes)
        ids = [0] * len(own) + [1] * len(other)
        assert sample.gt_instances.mix_ids.tolist() == ids


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(align='center'), ValueError, "align of PairBatch must be.*'corner'"),
        (dict(keep='dominant'), TypeError, "PairBatch has no setting 'keep'"),
        (dict(mode='pair'), TypeError, "PairBatch has no setting 'mode'"),
        (dict(supervision=dict(type='BoxMix')), TypeError, "no setting 'supervision'"),
    ],
)
def test_pairs_refuse_what_would_move_boxes_or_lose_them(settings, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(BASE, **settings))


def test_two_batches_are_not_paired():
    inputs, samples = batch_of([(64, 64)] * 2)
    mixer = PairBatch(ratio=BASE['ratio'], align='resize')
    with pytest.raises(ValueError, match='pairs samples within a batch'):
        mixer.mix_pair(inputs, samples, inputs, samples)
