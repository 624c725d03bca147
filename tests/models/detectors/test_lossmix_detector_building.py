"""How LossMixDetector is built, and what it refuses."""

from __future__ import annotations

import copy
import textwrap

import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer, init_detector
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.models.detectors import RetinaNet
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.runner import save_checkpoint

from mmmix import config_path
from mmmix.engine.find_mixers import find_batch_mixers
from mmmix.models import LossMixDetector
from tests.helpers import is_regression

from . import zoo


def test_it_is_the_detector_with_another_loss(stock, model):
    assert isinstance(model, LossMixDetector)
    assert isinstance(model, RetinaNet)
    assert type(model).__name__ == 'LossMixRetinaNet'
    assert [(n, type(m)) for n, m in model.named_modules()][1:] == [
        (n, type(m)) for n, m in stock.named_modules()
    ][1:]
    assert type(model.data_preprocessor) is DetDataPreprocessor
    assert model.supervision is None  # that of the mixer


def test_a_whole_config_can_be_wrapped(cfg, model):
    other = MODELS.build(
        dict(
            type='LossMixDetector',
            detector=copy.deepcopy(cfg.model),
            data_preprocessor=dict(type='DetDataPreprocessor', pad_size_divisor=64),
            supervision=dict(type='LossMix', reg=False),
        )
    )
    assert type(other) is type(model)
    assert list(other.state_dict()) == list(model.state_dict())
    assert other.data_preprocessor.pad_size_divisor == 64
    assert repr(other.supervision) == 'LossMix(cls=True, reg=False)'


@pytest.mark.parametrize(
    ('base', 'kind'),
    [
        ('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', 'RetinaNet'),
        ('mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', 'FCOS'),
        ('mmdet::detr/detr_r50_8xb2-150e_coco.py', 'DETR'),
    ],
)
def test_a_config_inherits_and_names_the_class(tmp_path, base, kind):
    """The form of the docstring; the detector's keys stay where they were."""
    path = tmp_path / 'leaf.py'
    mix = config_path('_base_/mixes/lossmix.py')
    path.write_text(
        textwrap.dedent(f"""
        _base_ = ['{base}', {mix!r}]
        model = dict(
            type='LossMixDetector',
            detector='{kind}',
            data_preprocessor=dict(
                batch_augments=[dict(_base_.mix, lam_per='batch')]),
            backbone=dict(depth=18, init_cfg=None),
            neck=dict(in_channels=[512] if '{kind}' == 'DETR' else [64, 128, 256, 512]))
        """)
    )
    built = MODELS.build(Config.fromfile(path).model)
    assert isinstance(built, MODELS.get(kind))
    assert built.bbox_head.num_classes == 80
    (mixer,) = find_batch_mixers(built)
    assert mixer.lam_per == 'batch'
    assert built.data_preprocessor.batch_augments[0] is mixer


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(), TypeError, "detector='RetinaNet'"),
        (dict(detector=dict(backbone=None)), TypeError, 'dict\\(type='),
        (dict(detector='RetinNet'), KeyError, "'RetinNet' is not among"),
        (dict(detector='ResNet'), TypeError, 'plain detector.*got ResNet'),
        (dict(detector='SoftTeacher'), TypeError, 'plain detector'),
        (dict(detector='LossMixDetector'), TypeError, 'plain detector'),
    ],
)
def test_detectors_it_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='LossMixDetector', **settings))


@pytest.mark.parametrize('kind', ['BoxMix', 'WeightedUnion'])
def test_supervisions_it_refuses(cfg, kind):
    with pytest.raises(ValueError, match=f"type='Union'.*{kind}.*mix-aware head"):
        zoo.build(
            cfg,
            type='LossMixDetector',
            detector='RetinaNet',
            supervision=dict(type=kind),
        )


def test_a_misspelt_key_is_the_detectors_error(cfg):
    with pytest.raises(TypeError, match='bbox_heads'):
        zoo.build(cfg, type='LossMixDetector', detector='RetinaNet', bbox_heads={})


@pytest.mark.parametrize(
    ('names', 'regression'),
    [
        ('loss_bbox loss_rpn_bbox s0.loss_bbox loss_xy loss_wh loss_l1', True),
        ('enc_loss_bbox loss_dfl loss_bbox_rf loss_pts_init', True),
        ('loss_cls loss_conf loss_obj loss_centerness d0.loss_cls acc', False),
        ('loss_mask loss_mask_iou loss_rpn_cls', False),
        # the bucket that a side of the box lies in (SABL)
        ('loss_bbox_cls', True),
    ],
)
def test_which_terms_are_regression(names, regression):
    assert {is_regression(name) for name in names.split()} == {regression}


def test_inference_tools_take_its_config(cfg, stock, tmp_path):
    """A checkpoint trained by it, in DetInferencer and init_detector, as stock."""
    path = str(tmp_path / 'checkpoint.pth')
    meta = dict(dataset_meta=dict(classes=('a', 'b', 'c'), palette=[(0, 0, 9)] * 3))
    save_checkpoint(dict(state_dict=stock.state_dict(), meta=meta), path)
    picture = np.random.default_rng(0).integers(
        256, size=(*zoo.SHAPE, 3), dtype='uint8'
    )
    wrapping = dict(type='LossMixDetector', detector='RetinaNet')
    found = []
    for settings in (dict(), wrapping):
        config = copy.deepcopy(cfg)
        config.model.update(settings)
        for step in config.test_dataloader.dataset.pipeline:
            if step.type == 'Resize':
                step.scale = zoo.SHAPE[::-1]
        config.test_pipeline = config.test_dataloader.dataset.pipeline
        inferencer = DetInferencer(
            model=config, weights=path, device='cpu', show_progress=False
        )
        (prediction,) = inferencer(picture)['predictions']
        found.append(prediction)
    assert found[0] == found[1]
    assert len(found[0]['bboxes']) > 0
    assert isinstance(inferencer.model, LossMixDetector)
    config = copy.deepcopy(cfg)
    config.model.update(wrapping)
    detector = init_detector(config, path, palette='coco', device='cpu')
    for got, want in zip(detector.state_dict().values(), stock.state_dict().values()):
        assert torch.equal(got, want)
    assert isinstance(detector, LossMixDetector)
