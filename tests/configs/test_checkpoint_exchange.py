"""Checkpoints between our SSD300 and mmdet's, and what either detects."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from mmmix.apis.checkpoints.pretrained import drop_pretrained

from .config_cases import load, mmdet_config


def build(cfg: ConfigDict) -> torch.nn.Module:
    """A detector with random weights, for inference."""
    drop_pretrained(cfg)
    return MODELS.build(cfg.model).eval()


@pytest.fixture(scope='module')
def models():
    """Ours and mmdet's. The latter misses an attribute that prediction reads."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    ours = build(copy.deepcopy(load('ssd300_voc_boxmix.py')))
    stock = build(ConfigDict(mmdet_config('pascal_voc/ssd300_voc0712.py')))
    stock.bbox_head.loss_cls = None
    return ours, stock


def detect(model: torch.nn.Module) -> tuple[torch.Tensor, ...]:
    """Detections on a random image."""
    image = torch.randint(256, (3, 300, 300), dtype=torch.uint8)
    sample = DetDataSample(
        metainfo=dict(img_shape=(300, 300), ori_shape=(300, 300), scale_factor=(1, 1))
    )
    data = dict(inputs=[image], data_samples=[sample])
    with torch.no_grad():
        found = model.test_step(data)[0].pred_instances
    return found.bboxes, found.labels, found.scores


@pytest.mark.parametrize('to_stock', [True, False])
def test_a_checkpoint_goes_both_ways_and_detects_the_same(models, to_stock):
    source, target = models if to_stock else models[::-1]
    assert list(source.state_dict()) == list(target.state_dict())
    with torch.no_grad():
        for parameter in source.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    before = copy.deepcopy(target.state_dict())
    target.load_state_dict(source.state_dict(), strict=True)
    assert not torch.equal(
        before['bbox_head.cls_convs.0.0.weight'],
        target.state_dict()['bbox_head.cls_convs.0.0.weight'],
    )
    torch.manual_seed(1)
    want = detect(source)
    torch.manual_seed(1)
    got = detect(target)
    assert len(want[0]) > 0
    assert all(torch.equal(g, w) for g, w in zip(got, want))
