"""LossMixDetector and pseudo-boxes that shall not be regressed."""

from __future__ import annotations

import pytest
import torch

from mmmix.structures import MIX_IDS, REGRESSION_WEIGHTS
from tests.helpers import is_regression

from . import zoo
from .pairs import LAM, batch


@pytest.fixture(scope='module')
def model():
    cfg = zoo.config('RetinaNet')
    return zoo.build(cfg, type='LossMixDetector', detector='RetinaNet').eval()


def losses(model, images, samples):
    with torch.no_grad():
        return {
            name: sum(value) if isinstance(value, list) else value
            for name, value in model.loss(images, samples).items()
        }


def weighed(samples, weights):
    """Samples whose boxes weigh ``weights[k]`` if they are component k's."""
    for sample in samples:
        instances = sample.gt_instances
        instances[REGRESSION_WEIGHTS] = torch.tensor(weights)[instances[MIX_IDS]]
    return samples


def test_each_pass_has_the_weight_of_its_boxes(model):
    images, samples = batch()
    want = losses(model, images, samples)
    first, second = (
        losses(model, images, weighed(samples, weights))
        for weights in ((1.0, 0.0), (0.0, 1.0))
    )
    assert len(want) == 2
    for name, value in want.items():
        if is_regression(name):
            assert first[name] > 0
            torch.testing.assert_close(first[name] + second[name], value)
        else:
            assert first[name] == second[name] == value


def test_an_unmixed_batch(model):
    images, samples = batch(lams=(1.0, 1.0))
    for sample in samples:
        del sample.mix_weights
        sample.gt_instances = sample.gt_instances[sample.gt_instances[MIX_IDS] == 0]
    want = losses(model, images, samples)
    got = losses(model, images, weighed(samples, (0.5,)))
    for name, value in want.items():
        factor = 0.5 if is_regression(name) else 1.0
        torch.testing.assert_close(got[name], factor * value)


def test_boxes_of_a_pass_must_agree(model):
    images, samples = batch((LAM, LAM))
    weighed(samples[:1], (1.0, 0.0))
    weighed(samples[1:], (0.0, 1.0))
    with pytest.raises(ValueError, match=r'regression_weights, got \[0.0, 1.0\]'):
        model.loss(images, samples)
