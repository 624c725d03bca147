"""Which parts of a built detector must read what a mixer stamps."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import MODELS, TRANSFORMS
from torch import nn

from mmmix.apis.training_checks import check_mixing
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


SEESAW = dict(type='SeesawLoss', num_classes=3)
GHM = dict(type='GHMC', momentum=0.5)


@pytest.mark.parametrize(
    ('part', 'mixing', 'name'),
    [
        (SEESAW, 'LossMix', 'SeesawLoss'),
        (GHM, 'LossMix', 'GHMC'),
        (dict(type='EQLV2Loss', num_classes=3), 'LossMix', 'EQLV2Loss'),
        (dict(GHM, momentum=0), 'LossMix', None),
        (dict(type='FocalLoss'), 'LossMix', None),
        (SEESAW, 'Union', None),
    ],
)
def test_losses_that_count_what_they_see_are_told(part, mixing, name, logged):
    runner = wrapped(1, type='MixImage', supervision=dict(type=mixing))
    runner.model.bbox_head.loss_cls = MODELS.build(part)
    check_mixing(runner)
    said = logged.text
    assert ('go by counts' in said) == (name is not None)
    assert name is None or f'{name}: they go by' in said


def test_each_component_adds_to_the_counts_of_a_loss():
    """What is told: the second pass sees the counts of the first, made in full."""
    loss = MODELS.build(dict(SEESAW, return_dict=False))
    scores, generator = torch.zeros(8, 5), torch.Generator().manual_seed(0)
    scores.uniform_(generator=generator)
    one, other = torch.full((8,), 0), torch.tensor([1, 2] * 4)
    apart = 0.9 * copy.deepcopy(loss)(scores, one)
    apart += 0.1 * copy.deepcopy(loss)(scores, other)
    after = 0.9 * loss(scores, one) + 0.1 * loss(scores, other)
    assert loss.cum_samples.tolist() == [8, 4, 4, 0]
    assert abs(after / apart - 1) > 1e-3
