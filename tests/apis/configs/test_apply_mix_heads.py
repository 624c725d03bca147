"""Which heads a method finds in a detector, and which of them it replaces."""

from __future__ import annotations

import copy

import pytest
from mmdet.models.dense_heads import RetinaHead
from mmdet.models.detectors import BaseDetector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import Registry

from mmmix.apis.configs.apply_mix import apply_mix
from mmmix.apis.configs.config_reading import read_config
from mmmix.models.dense_heads import MixSSDHead
from tests.models.detectors import zoo


@MODELS.register_module()
class HeadByAnotherKey(BaseDetector):
    """A detector that does not call its head ``bbox_head``."""


@MODELS.register_module()
class OwnSSDHead(MixSSDHead):
    """A head of one's own that is mix-aware, as what it derives from."""


FOREIGN = Registry('model', parent=MODELS, scope='foreign')


@FOREIGN.register_module(name='RetinaHead')
class ForeignRetinaHead(RetinaHead):
    """A head that has the name of one of mmdet's."""


def keep_head_elsewhere(model, key):
    """FCOS whose head has another key."""
    model.type = 'HeadByAnotherKey'
    model[key.partition('[')[0]] = [model.bbox_head] if '[' in key else model.bbox_head
    if not key.startswith('bbox_head'):
        del model['bbox_head']


@pytest.mark.parametrize('key', ['head', 'bbox_head[0]', 'bbox_heads[0]'])
def test_heads_are_found_by_their_loss(key):
    cfg = read_config(f'mmdet::{zoo.CONFIGS["FCOS"]}')
    keep_head_elsewhere(cfg.model, key)
    with pytest.raises(ValueError, match=r'HeadByAnotherKey with FCOSHead'):
        apply_mix(copy.deepcopy(cfg), 'boxmix')
    apply_mix(cfg, 'lossmix')
    assert (cfg.model.type, cfg.model.detector) == (
        'LossMixDetector',
        'HeadByAnotherKey',
    )


def test_a_detector_without_a_known_head_is_wrapped():
    cfg = Config(dict(model=dict(type='HeadByAnotherKey')))
    with pytest.raises(ValueError, match='HeadByAnotherKey with no head'):
        apply_mix(copy.deepcopy(cfg), 'boxmix')
    assert apply_mix(cfg, 'lossmix').model.type == 'LossMixDetector'


def test_a_head_of_ones_own_is_not_replaced():
    cfg = read_config(f'mmdet::{zoo.CONFIGS["RetinaNet"]}')
    cfg.model.bbox_head.type = 'foreign.RetinaHead'
    apply_mix(cfg, 'lossmix')
    assert cfg.model.type == 'LossMixDetector'
    assert cfg.model.bbox_head.type == 'foreign.RetinaHead'


def test_a_head_that_derives_from_a_mix_aware_one_stays():
    cfg = read_config('mmdet::ssd/ssd300_coco.py')
    cfg.model.bbox_head.type = 'OwnSSDHead'
    apply_mix(cfg, 'boxmix')
    assert cfg.model.type == 'SingleStageDetector'
    assert cfg.model.bbox_head.type == 'OwnSSDHead'
