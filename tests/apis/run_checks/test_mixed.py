"""What ``mmmix check`` says of the mixing in the first batch."""

from __future__ import annotations

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config

from mmmix import config_path
from mmmix.apis.run_checks.batch import _mixed
from mmmix.apis.run_checks.finding import OK, WARNING
from tests.models.batch_augments.batches import batch_of

RATIO = dict(type='Constant', value=0.3)


def said_of(model, mixer=None):
    """Level and text of what is found in a batch that went through a mixer."""
    inputs, samples = batch_of([(64, 64)] * 3)
    if mixer is not None:
        inputs, samples = mixer(inputs, samples)
    (found,) = _mixed(model, dict(inputs=inputs, data_samples=samples))
    return found.level, found.text


def test_a_detector_that_mixes_some_levels_mixes_in_its_step():
    model = MODELS.build(
        Config.fromfile(config_path('demo/ssd_digits_level1.py')).model
    )
    assert said_of(model) == (OK, 'LevelMixDetector mixes inside its own step')


@pytest.mark.parametrize(('prob', 'level', 'count'), [(1.0, OK, 3), (0.0, WARNING, 0)])
def test_mixed_samples_are_counted(prob, level, count):
    cfg = Config.fromfile(config_path('demo/ssd_digits.py')).model
    mix = dict(type='MixBatch', ratio=RATIO, prob=prob)
    cfg.data_preprocessor.batch_augments = [mix]
    model = MODELS.build(cfg)
    mixer = model.data_preprocessor.batch_augments[0]
    text = f'{count} of 3 samples of the first batch are mixed'
    assert said_of(model, mixer) == (level, text)
