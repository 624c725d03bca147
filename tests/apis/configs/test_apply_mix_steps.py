"""Real steps of mmdet's own detectors with a method put in by its name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config, ConfigDict

from mmmix.apis.configs.apply_mix import apply_mix
from tests.models.detectors import zoo

from .test_apply_mix import STOCK, augments, method, stock


def small(name: str) -> Config:
    """A detector of which a step takes little; SSD and Darknet are as they are."""
    if name in ('SSD', 'YOLOv3'):
        cfg = copy.deepcopy(stock(name))
        cfg.model.bbox_head.num_classes = zoo.NUM_CLASSES
        cfg.model.backbone.pop('init_cfg')
        return cfg
    return zoo.config(STOCK[name] if name == 'FasterRCNN' else name)


def batch(size: int, masks: bool) -> dict[str, Any]:
    """Two images of one size as a loader collates them."""
    samples = []
    for index in range(2):
        sample = zoo.sample(zoo.objects(index, 3, masks), index)
        shapes = ('img_shape', 'pad_shape', 'batch_input_shape', 'ori_shape')
        if size:
            sample.set_metainfo(dict.fromkeys(shapes, (size, size)))
        samples.append(sample)
    height, width = (size, size) if size else zoo.SHAPE
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        256, (2, 3, height, width), generator=generator, dtype=torch.uint8
    )
    return dict(inputs=list(images), data_samples=samples)


def step(name: str, kind: str, **settings: Any) -> tuple[Any, dict[str, Any]]:
    """The built model and its losses in a training step on mixed images."""
    cfg = apply_mix(small(name), kind, **settings)
    model = zoo.build(cfg)
    data = batch(300 if name == 'SSD' else 0, name == 'MaskRCNN')
    inputs = model.data_preprocessor(data, training=True)
    assert all('mix_supervision' in s.metainfo for s in inputs['data_samples'])
    losses = model(**inputs, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert torch.isfinite(total)
    assert grads
    assert all(torch.isfinite(grad).all() for grad in grads)
    return model, losses


FAST = [name for name in STOCK if name not in ('SSD', 'YOLOv3')]


@pytest.mark.parametrize('name', FAST)
def test_real_step(name):
    model, losses = step(name, 'lossmix')
    stock_losses = zoo.build(small(name))(
        torch.zeros(2, 3, *zoo.SHAPE),
        [zoo.sample(zoo.objects(i, 3, name == 'MaskRCNN'), i) for i in range(2)],
        mode='loss',
    )
    assert {key for key in losses if 'loss' in key} == {
        key for key in stock_losses if 'loss' in key
    }


@pytest.mark.slow
@pytest.mark.parametrize('name', ['SSD', 'YOLOv3'])
def test_real_step_of_a_whole_detector(name):
    step(name, 'lossmix')


def test_real_step_of_boxmix_and_of_alignmix():
    step('FasterRCNN', 'boxmix')
    step('FasterRCNN', 'alignmix', level=1)


def test_what_was_there_stays_first_and_runs_first():
    cfg = zoo.config('RetinaNet')
    pad = dict(type='BatchFixedSizePad', size=(128, 128), pad_mask=False)
    cfg.model.data_preprocessor.batch_augments = [pad]
    apply_mix(cfg, 'union')
    assert augments(cfg) == [pad, method('union')]
    model = MODELS.build(ConfigDict(cfg.model))
    inputs = model.data_preprocessor(batch(0, masks=False), training=True)
    assert inputs['inputs'].shape[2:] == (128, 128)
    assert all('mix_weights' in s.metainfo for s in inputs['data_samples'])
