"""Two batches of a teacher, mixed on a frame that is padded as they are."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from mmdet.registry import MODELS

from mmmix.models.teachers.branches import mixed_pair
from tests.models.batch_augments.batches import batch_of


def test_the_frame_is_padded_as_the_preprocessor_pads():
    mixer = MODELS.build(
        dict(type='MixBatch', ratio=dict(type='Constant', value=1.0), align='corner')
    )
    small, large = batch_of([(32, 32)] * 2), batch_of([(64, 48)])
    inner = SimpleNamespace(pad_value=7)
    for preprocessor in (inner, SimpleNamespace(data_preprocessor=inner)):
        inputs, samples = mixed_pair(mixer, small, large, preprocessor)
        assert inputs.shape == (2, 3, 64, 48)
        assert len(samples) == 2
        want = mixer.mix_pair(
            *small, large[0][[0, 0]], [large[1][0]] * 2, pad_value=7.0
        )
        assert torch.equal(inputs, want[0])
