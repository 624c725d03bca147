"""Every leaf beside SSD's: what is built from it, and a training step on tiny data.

The step is on a smaller model and smaller images, the rest is as in the config; the
slow tests take the model as it is.
"""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.training_checks import check_mixing
from mmmix.structures import is_mixed

from .config_cases import (
    LEAVES,
    METHODS,
    MIXED,
    STUDIED,
    check_mixer,
    classifier,
    load,
    method_of,
    mixers_of,
    overrides_of,
    pair_all,
    pipelines,
    split,
)
from .tiny_data import moved, write_tiny_data

OTHERS = [leaf for leaf in LEAVES if not Path(leaf).name.startswith('ssd')]
# When made smaller, each is the same as another but for its classes.
TWINS = [leaf for leaf in OTHERS if '_r101_' in leaf or '_coco_' in leaf]
# LossMix's own leaf with another alpha, which test_lossmix_recipes.py looks at.
ALPHAS = [leaf for leaf in OTHERS if '-alpha' in leaf]
STEPPED = [leaf for leaf in OTHERS if leaf not in TWINS + ALPHAS]
LOSSES = {
    'faster-rcnn': {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'},
    'yolov3': {'loss_cls', 'loss_conf', 'loss_xy', 'loss_wh'},
    'retinanet': {'loss_cls', 'loss_bbox'},
    'fcos': {'loss_cls', 'loss_bbox', 'loss_centerness'},
    'detr': {'loss_cls', 'loss_bbox', 'loss_iou'},
}


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    write_tiny_data(root)
    return root


def twin(leaf: str) -> str:
    """The leaf with ResNet-50, and with VOC if it mixes."""
    return leaf.replace('_r101_', '_r50_').replace('_coco_', '_voc_')


def ready(leaf: str, data: Path) -> Config:
    """A leaf without pretrained weights, on tiny data resized to less than 96 px."""
    cfg = Config(moved(load(leaf).to_dict(), data))
    drop_pretrained(cfg)
    for pipeline in pipelines(cfg.train_dataloader.dataset):
        for step in pipeline:
            shrink_images(step)
    if 'shared_head' in cfg.model.get('roi_head', {}):
        # No anchor of 128 pixels and more lies inside a tiny image.
        cfg.model['train_cfg']['rpn']['allowed_border'] = -1
    return cfg


def shrink_images(step: dict[str, Any]) -> None:
    """Let a transform resize to small images."""
    if step['type'] == 'RandomChoiceResize':
        step['scales'] = [(96, 64), (96, 80)]
    elif step['type'] == 'RandomResize':
        step['scale'] = [(64, 64), (96, 96)]
    elif step['type'] == 'Resize':
        step['scale'] = (96, 96)
    elif step['type'] == 'RandomChoice':
        step['transforms'] = [way[:1] for way in step['transforms']]
        for way in step['transforms']:
            shrink_images(way[0])


def shrink_model(model: dict[str, Any]) -> None:
    """A ResNet-18 in place of a deeper backbone, a thin neck, and few RoIs."""
    if model['backbone']['type'] == 'Darknet':
        model['backbone'] = dict(type='ResNet', depth=18, out_indices=(1, 2, 3))
        model['neck'].update(in_channels=[512, 256, 128], out_channels=[32, 32, 32])
        model['bbox_head'].update(in_channels=[32, 32, 32], out_channels=[32, 32, 32])
    elif 'shared_head' in model.get('roi_head', {}):  # without a neck
        model['backbone']['depth'] = model['roi_head']['shared_head']['depth'] = 18
        model['rpn_head'].update(in_channels=256, feat_channels=32)
        model['roi_head']['bbox_roi_extractor']['out_channels'] = 256
        model['roi_head']['bbox_head']['in_channels'] = 512
    elif model['backbone']['depth'] > 18:
        model['backbone']['depth'] = 18
        channels = model['neck']['in_channels']
        model['neck']['in_channels'] = [channel // 4 for channel in channels]
    if 'rpn_head' in model:
        model['train_cfg']['rpn_proposal'].update(nms_pre=100, max_per_img=32)
        model['train_cfg']['rcnn']['sampler']['num'] = 16
        if 'fc_out_channels' in model['roi_head']['bbox_head']:
            model['roi_head']['bbox_head']['fc_out_channels'] = 32
    if model.get('detector', model['type']) == 'DETR':
        model['encoder']['num_layers'] = model['decoder']['num_layers'] = 1


def build(cfg: Config) -> Any:
    """The leaf's model on the CPU, in training mode."""
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    model.init_weights()
    model.train()
    return model


def check_built(leaf: str, cfg: Config, model: Any) -> None:
    """The mixer that the config names is there, and read by every head."""
    mixers = mixers_of(model)
    roi_only = leaf.endswith('-roi-only.py')
    assert overrides_of(model) == (['Union()'] if roi_only else [])
    check_mixing(SimpleNamespace(cfg=load(leaf), model=model), training=False)
    if leaf not in MIXED + STUDIED:
        assert not mixers
        return
    (mixer,) = mixers.values()
    assert mixer in list(model.data_preprocessor.batch_augments)
    if leaf in MIXED:
        check_mixer(mixer, method_of(leaf))


def check_step(leaf: str, cfg: Config, model: Any) -> None:
    """One training step: mixed as promised, finite losses, changed parameters."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[k] for k in range(2)])
    pair_all(model)
    mixed = model.data_preprocessor(copy.deepcopy(batch), training=True)
    alone = model.data_preprocessor(copy.deepcopy(batch), training=False)
    fields = [is_mixed(sample.metainfo) for sample in mixed['data_samples']]
    method = METHODS.get(split(leaf)[1])
    if leaf in STUDIED:
        # half of two images is one
        assert sum(fields) == (1 if leaf.endswith('-reg.py') else 2)
    else:
        assert fields == [method is not None and method.keep == 'all'] * 2
    same = mixed['inputs'].shape == alone['inputs'].shape and torch.equal(
        mixed['inputs'], alone['inputs']
    )
    paired = method is not None and method.mixer == 'PairBatch'
    assert same == (paired or leaf not in MIXED + STUDIED)

    before = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = model.train_step(batch, wrapper)
    expected = LOSSES[Path(leaf).name.partition('_')[0]]
    names = {name for name in losses if 'loss' in name and not name.startswith('d')}
    assert names == {'loss', *expected}
    assert all(torch.isfinite(loss).all() for loss in losses.values())
    after = [p for p in model.parameters() if p.requires_grad]
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


@pytest.mark.parametrize('leaf', TWINS)
def test_twins_are_twins(leaf):
    a, b = (copy.deepcopy(load(name).model.to_dict()) for name in (leaf, twin(leaf)))
    for model in (a, b):
        shrink_model(model)
        model['backbone'].pop('init_cfg', None)
        classifier(model)['num_classes'] = 0
    assert a == b


@pytest.mark.parametrize('leaf', STEPPED)
def test_step_of_a_smaller_model(leaf, data):
    cfg = ready(leaf, data)
    shrink_model(cfg.model)
    model = build(cfg)
    check_built(leaf, cfg, model)
    check_step(leaf, cfg, model)


@pytest.mark.slow
@pytest.mark.parametrize('leaf', OTHERS)
def test_full_step(leaf, data):
    cfg = ready(leaf, data)
    model = build(cfg)
    check_built(leaf, cfg, model)
    check_step(leaf, cfg, model)
