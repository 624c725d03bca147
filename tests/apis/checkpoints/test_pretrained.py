"""Dropping pretrained weights from a config."""

from __future__ import annotations

import logging

from mmengine.config import Config
from mmengine.model import PretrainedInit

from mmmix.apis.checkpoints.pretrained import drop_pretrained

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
