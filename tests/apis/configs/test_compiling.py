"""``compile`` in a config."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmdet.structures import DetDataSample
from mmengine.config import Config
from torch import nn

from mmmix.apis.configs.compiling import leave_samples_alone


class Model(nn.Module):
    """Its images, doubled."""

    def __init__(self) -> None:
        super().__init__()
        self.data_preprocessor = DetDataPreprocessor(mean=[1, 2, 3], std=[1, 1, 2])

    def train_step(self, data):
        return self.data_preprocessor(data, True)['inputs'] * 2


def batch(number):
    """An image of its own, with a name of its own."""
    meta = dict(img_id=f'image {number}', img_shape=(4, 4))
    image = torch.full((3, 4, 4), number, dtype=torch.uint8)
    return dict(inputs=[image], data_samples=[DetDataSample(metainfo=meta)])


@pytest.mark.parametrize('given', [True, dict(backend='eager')])
def test_a_step_is_not_compiled_for_the_names_of_its_images(given):
    from torch._dynamo.utils import counters

    model = Model().train()
    leave_samples_alone(SimpleNamespace(cfg=Config(dict(compile=given)), model=model))
    torch._dynamo.reset()
    compiled, counts = torch.compile(model.train_step, backend='eager'), []
    for number in range(3):
        before = counters['frames']['total']
        got = compiled(batch(number))
        counts.append(counters['frames']['total'] - before)
        torch.testing.assert_close(got, model.train_step(batch(number)))
    assert counts[0] > 0
    assert counts[1:] == [0, 0]


@pytest.mark.parametrize('cfg', [{}, dict(compile=False)])
def test_nothing_is_changed_where_nothing_is_compiled(cfg):
    model = Model()
    leave_samples_alone(SimpleNamespace(cfg=Config(cfg), model=model))
    assert 'forward' not in vars(model.data_preprocessor)
