"""Dropping pretrained weights from a config."""

from __future__ import annotations

import logging

from mmengine.config import Config
from mmengine.model import PretrainedInit

from mmmix.apis.checkpoints.pretrained import drop_pretrained, named_weights
from mmmix.apis.run_checks.batch import check_weights
from mmmix.apis.run_checks.finding import OK, WARNING, Finding

NORMAL = dict(type='Normal', layer='Conv2d', std=0.01)
WEIGHTS = dict(type='Pretrained', checkpoint='torchvision://resnet50')


def test_every_kind_goes_and_nothing_else(logged):
    cfg = Config(
        dict(
            load_from='coco.pth',
            model=dict(
                type='D',
                init_cfg=dict(type='mmengine.model.PretrainedInit', checkpoint='x'),
                pretrained='open-mmlab://vgg16_caffe',
                backbone=dict(type='SSDVGG', depth=16, init_cfg=WEIGHTS),
                neck=dict(init_cfg=[NORMAL, WEIGHTS]),
                head=dict(init_cfg=[dict(type=PretrainedInit)], pretrained=None),
                extra=[dict(init_cfg=NORMAL), dict(init_cfg=[NORMAL])],
            ),
        )
    )
    drop_pretrained(cfg)
    assert cfg.to_dict() == dict(
        load_from=None,
        model=dict(
            type='D',
            pretrained=None,
            backbone=dict(type='SSDVGG', depth=16),
            neck=dict(init_cfg=[NORMAL]),
            head=dict(pretrained=None),
            extra=[dict(init_cfg=NORMAL), dict(init_cfg=[NORMAL])],
        ),
    )
    assert not logged.records


def test_frozen_layers_are_warned_about(logged):
    backbone = dict(type='ResNet', frozen_stages=1, norm_eval=True, init_cfg=WEIGHTS)
    cfg = Config(dict(model=dict(detector=dict(backbone=backbone))))
    drop_pretrained(cfg)
    (record,) = logged.records
    assert record.levelno == logging.WARNING
    key = 'model.detector.backbone'
    fix = f'--cfg-options {key}.frozen_stages=-1 {key}.norm_eval=False'
    assert record.getMessage().endswith(fix)


def test_what_trains_nothing_is_not_warned_of_an_option(logged):
    backbone = dict(type='ResNet', frozen_stages=1, init_cfg=WEIGHTS)
    cfg = Config(dict(model=dict(backbone=backbone)))
    drop_pretrained(cfg, warn=False)
    assert 'init_cfg' not in cfg.model.backbone
    assert not logged.records


def test_weights_are_named_wherever_they_stand():
    model = dict(
        pretrained='open-mmlab://vgg16_caffe',
        backbone=dict(init_cfg=WEIGHTS),
        neck=dict(init_cfg=[NORMAL, dict(WEIGHTS, checkpoint='neck.pth')]),
        heads=[dict(init_cfg=NORMAL), dict(init_cfg=dict(WEIGHTS, checkpoint='b'))],
    )
    assert list(named_weights(model)) == [
        ('model', 'open-mmlab://vgg16_caffe'),
        ('model.backbone', 'torchvision://resnet50'),
        ('model.neck', 'neck.pth'),
        ('model.heads.1', 'b'),
    ]
    assert list(named_weights(None)) == []


def test_the_check_tells_named_weights_from_random_ones():
    cfg = Config(dict(model=dict(backbone=dict(init_cfg=WEIGHTS)), load_from=None))
    said = 'load_from is None: model.backbone from torchvision://resnet50'
    assert list(check_weights(cfg, None)) == [Finding(OK, 'weights', said)]
    (found,) = check_weights(Config(dict(model=dict(type='D'))), None)
    assert found.level == WARNING
    assert 'random ones' in found.text
