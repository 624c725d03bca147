"""The config of an exported detector, for mmdet alone."""

from __future__ import annotations

import pytest
from mmengine.config import Config

import mmmix
from mmmix.apis.configs.plain_config import plain_config, plain_config_text
from tests.apis.semi_configs import semi_config


def test_what_the_plain_config_keeps():
    cfg = semi_config('faster-rcnn_digits_boxmix')
    cfg.custom_imports = dict(imports=['mmmix', 'theirs.module', 'mmmix.models'])
    cfg.model.detector.data_preprocessor.batch_augments = [dict(type='MixBatch')]
    cfg.model.detector.rpn_head.supervision = dict(type='Union')
    outer = cfg.model.data_preprocessor.data_preprocessor
    outer.update(mean=[1, 2, 3], batch_augments=[dict(type='MixBatch')])
    cfg.default_hooks.preview = dict(type='MixPreviewHook')
    cfg.pop('visualizer')
    plain = plain_config(cfg)
    assert set(cfg.default_hooks) - set(plain.default_hooks) == {'preview', 'report'}
    assert plain.visualizer.type == 'DetLocalVisualizer'
    assert plain.custom_imports.imports == ['theirs.module']
    model = plain.model
    assert model.type == 'FasterRCNN'
    assert model.rpn_head.type == 'RPNHead'
    assert model.roi_head.type == 'StandardRoIHead'
    assert model.roi_head.bbox_head.type == 'Shared2FCBBoxHead'
    assert 'supervision' not in str(plain)
    # The preprocessor that the teacher predicted with, without mixing.
    assert model.data_preprocessor.mean == [1, 2, 3]
    assert 'batch_augments' not in model.data_preprocessor
    assert model.backbone == cfg.model.detector.backbone
    assert model.test_cfg == cfg.model.detector.test_cfg
    pipeline = plain.test_dataloader.dataset.pipeline
    assert pipeline[0].type == 'LoadImageFromFile'
    metrics = [metric.type for metric in plain.test_evaluator]
    assert 'CocoMetric' in metrics
    assert 'CocoStyleMetric' not in metrics
    for key in ('train_dataloader', 'train_cfg', 'val_cfg', 'optim_wrapper'):
        assert key not in plain
    assert 'custom_hooks' not in plain
    # The source is left as it was.
    assert cfg.model.detector.roi_head.type == 'MixStandardRoIHead'


def test_a_network_that_mmdet_lacks_stays_with_mmmix():
    cfg = Config.fromfile(mmmix.config_path('photos/ssd160-lite0_animals100.py'))
    plain = plain_config(cfg)
    assert plain.custom_imports.imports == ['mmmix']
    assert plain.model.backbone == cfg.model.backbone
    assert plain.model.backbone.type == 'EfficientNetLite'
    assert plain.model.bbox_head.type == 'SSDHead'
    pipeline = plain.test_dataloader.dataset.pipeline
    assert pipeline[0] == dict(type='LoadImageFromFile')


def test_a_detector_of_ours_loses_what_stock_does_not_take():
    cfg = Config.fromfile(mmmix.config_path('demo/ssd_digits_level1.py'))
    plain = plain_config(cfg)
    assert plain.model.type == 'SingleStageDetector'
    assert plain.model.bbox_head.type == 'SSDHead'
    assert 'MixBatch' not in str(plain)
    assert 'custom_imports' not in plain


@pytest.mark.parametrize(
    'detector', ['RetinaNet', dict(type='RetinaNet', backbone=dict(type='B'))]
)
def test_a_lossmix_detector_is_what_it_wraps(detector):
    cfg = semi_config('ssd_digits')
    cfg.model.detector = dict(
        type='LossMixDetector',
        detector=detector,
        backbone=dict(type='A'),
        supervision=dict(type='LossMix'),
    )
    model = plain_config(cfg).model
    assert model.type == 'RetinaNet'
    assert model.backbone.type == 'A'
    assert set(model) == {'type', 'backbone', 'data_preprocessor'}


def test_the_repair_of_ssd_comes_with_ssd_only(monkeypatch, tmp_path):
    from mmdet.models import SSDHead

    for name, present in (('ssd_digits', True), ('yolov3_digits', False)):
        text = plain_config_text(plain_config(semi_config(name)), 'x')
        assert ('SSDHead never sets' in text) is present
        path = tmp_path / f'{name}.py'
        path.write_text(text)
        assert 'head' not in Config.fromfile(path)
    assert SSDHead.loss_cls is None
    del SSDHead.loss_cls
    # A version that sets it by itself is left alone.
    monkeypatch.setattr(
        SSDHead, '__init__', lambda self: setattr(self, 'a', self.loss_cls)
    )
    Config.fromfile(tmp_path / 'ssd_digits.py')
    assert not hasattr(SSDHead, 'loss_cls')


def test_a_type_without_a_stock_one_is_refused():
    cfg = semi_config('ssd_digits')
    cfg.model.detector.neck = dict(type='MixBatch')
    with pytest.raises(ValueError, match='MixBatch derives from no type of mmdet'):
        plain_config(cfg)
