"""Which parts of a built detector must read what a mixer stamps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmdet.registry import MODELS, TRANSFORMS
from torch import nn

from mmmix.apis.checks import check_mixing
from tests.models.detectors import zoo

from .check_cases import RATIO, Head, mix_batch, runner_of


@pytest.mark.parametrize('key', ['head', 'bbox_heads'])
def test_heads_are_found_by_their_loss(key):
    class Detector(nn.Module):
        def __init__(self, aware):
            super().__init__()
            self.data_preprocessor = MODELS.build(dict(type='DetDataPreprocessor'))
            head = Head(aware=aware)
            setattr(self, key, nn.ModuleList([head]) if key[-1] == 's' else head)

    runner = runner_of(Detector(aware=True), mix_batch('LossMix'))
    check_mixing(runner, training=False)
    runner = runner_of(Detector(aware=False), mix_batch('LossMix'))
    with pytest.raises(ValueError, match=rf'model\.{key}(\[0\])?, a Head, does not'):
        check_mixing(runner, training=False)


def test_a_detector_without_a_known_head_is_refused():
    model = nn.Module()
    model.data_preprocessor = MODELS.build(dict(type='DetDataPreprocessor'))
    with pytest.raises(ValueError, match='model, a Module, does not read it'):
        check_mixing(runner_of(model, mix_batch('LossMix')), training=False)


def wrapped(size, **mixer):
    """A wrapped detector, with a mixer of images in its data."""
    model = zoo.build(
        zoo.config('RetinaNet'), type='LossMixDetector', detector='RetinaNet'
    )
    model.data_preprocessor = MODELS.build(dict(type='DetDataPreprocessor'))
    steps = [TRANSFORMS.build(dict(ratio=RATIO, pad='black', **mixer))]
    dataset = SimpleNamespace(pipeline=SimpleNamespace(transforms=steps))
    runner = runner_of(model, train_dataloader=dict(batch_size=size))
    runner.train_dataloader = SimpleNamespace(dataset=dataset)
    return runner


@pytest.mark.parametrize('kind', ['Mix', 'CutMix'])
def test_a_wrapped_detector_takes_a_mixer_of_images_one_at_a_time(kind):
    mixer = dict(type=f'{kind}Image', supervision=dict(type='LossMix'))
    check_mixing(wrapped(1, **mixer))
    with pytest.raises(ValueError, match=f"take type='{kind}Batch' with lam_per"):
        check_mixing(wrapped(2, **mixer))
