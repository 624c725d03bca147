"""The leaves of photographs: what they compose, what is built, and a step of each."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmcv.ops.nms import ext_module
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper

from mmmix.apis.checkpoints.pretrained import drop_pretrained
from mmmix.apis.configs.apply_mix import apply_mix
from mmmix.datasets.voc_animals import CLASSES
from mmmix.engine.hooks import ChannelsLastHook
from mmmix.structures import is_mixed

from .config_cases import (
    ALL,
    CONFIGS,
    classifier,
    depth,
    gpus_and_batch,
    load,
    mixers_of,
    pair_all,
    pipelines,
    top_level,
)
from .tiny_data import moved, write_voc

# those with a teacher are in test_photo_teachers.py
PHOTOS = [
    leaf
    for leaf in ALL
    if leaf.startswith('photos/') and not re.search('-(semi|cartoon)_', leaf)
]
LISTS = CONFIGS / 'photos' / 'voc-animals'
every_leaf = pytest.mark.parametrize('leaf', PHOTOS)
# a step of each detector, and of SSD's other size
STEPS = {
    'photos/ssd160-lite0_animals300.py': {'loss_cls', 'loss_bbox'},
    'photos/ssd160-lite0_animals300-crop.py': {'loss_cls', 'loss_bbox'},
    'photos/retinanet160-lite0_animals300.py': {'loss_cls', 'loss_bbox'},
    'photos/yolov3-160-lite0_animals100.py': {
        *('loss_cls', 'loss_conf', 'loss_xy', 'loss_wh')
    },
    'photos/faster-rcnn160-lite0_animals300.py': {
        *('loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox')
    },
}


@pytest.fixture(scope='module')
def data(tmp_path_factory) -> Path:
    """The folder that stands in for ``data/``."""
    root = tmp_path_factory.mktemp('data')
    splits = dict(train='a', train100='b', train300='c', val='d', test='e')
    write_voc(root / 'voc-animals', splits, CLASSES)
    return root


def test_the_leaves_are_detectors_by_size_and_number_of_images():
    found = {Path(leaf).stem for leaf in PHOTOS}
    detectors = ('ssd160-lite0', 'faster-rcnn160-lite0')
    expected = {f'{d}_animals{n}' for d in detectors for n in (100, 300, 1200)}
    expected |= {f'retinanet160-lite0_animals{n}' for n in (100, 300)}
    expected |= {'yolov3-160-lite0_animals100', 'ssd160-lite0_animals100-jitter'}
    cropped = ('ssd', 'faster-rcnn', 'retinanet', 'yolov3-')
    expected |= {f'{d}160-lite0_animals300-crop' for d in cropped}
    expected |= {f'{d}224-lite0_animals300' for d in ('ssd', 'faster-rcnn')}
    assert found == expected


@every_leaf
def test_a_leaf_is_short_states_its_batch_and_is_listed(leaf):
    assert all(isinstance(statement, ast.Assign) for statement in top_level(leaf))
    assert len((CONFIGS / leaf).read_text().splitlines()) <= 25
    assert depth(CONFIGS / leaf) <= 3
    cfg = load(leaf)
    gpus, batch = gpus_and_batch(leaf)
    assert (gpus, batch) == (1, cfg.train_dataloader.batch_size)
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=gpus * batch)
    lines = (CONFIGS / 'photos' / 'README.md').read_text().splitlines()
    name = Path(leaf).stem
    (row,) = [line for line in lines if f'[{name}]({name}.py)' in line]
    assert f'| {gpus} × {batch} |' in row


@every_leaf
def test_a_name_says_the_size_of_the_images_and_their_number(leaf):
    cfg = load(leaf)
    side, count = map(int, re.search(r'(\d+)-lite0_animals(\d+)', leaf).groups())
    train = cfg.train_dataloader.dataset
    ids = (LISTS / Path(train.ann_file).name).read_text().split()
    assert len(ids) == count
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        (pipeline,) = pipelines(cfg[loader].dataset)
        (resize,) = [step for step in pipeline if step.type == 'Resize']
        assert resize == dict(type='Resize', scale=(side, side), keep_ratio=False)
        assert pipeline[0].type == 'LoadImageOnce'
        assert cfg[loader].dataset.metainfo.classes == CLASSES
    steps = {step.type for step in train.pipeline}
    assert ('MinIoURandomCrop' in steps) == leaf.endswith('-crop.py')
    jittered = leaf.endswith(('-crop.py', '-jitter.py'))
    assert ('PhotoMetricDistortion' in steps) == jittered
    assert classifier(cfg.model).num_classes == len(CLASSES)
    splits = [cfg[f'{name}_dataloader'].dataset.ann_file for name in ('val', 'test')]
    assert splits == ['ImageSets/Main/val.txt', 'ImageSets/Main/test.txt']


@every_leaf
def test_the_backbone_is_pretrained_and_partly_frozen(leaf):
    cfg = copy.deepcopy(load(leaf))
    weights = dict(type='Pretrained', checkpoint='efficientnet-lite0:imagenet')
    assert cfg.model.backbone.pop('init_cfg') == weights
    model = MODELS.build(cfg.model)
    model.train()
    frozen = {
        name.split('.')[2]
        for name, value in model.named_parameters()
        if not value.requires_grad
    }
    assert frozen == {'0', '1', '2', '3'}
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {group['lr'] for group in wrapper.optimizer.param_groups}
    assert sorted(rates) == pytest.approx([2e-4, 1e-3])


def test_the_lists_share_no_image_and_begin_alike():
    ids = {path.stem: path.read_text().split() for path in LISTS.glob('*.txt')}
    train, val, test = (ids[name] for name in ('train', 'val', 'test'))
    assert (len(train), len(val), len(test)) == (1200, 300, 800)
    assert len({*train, *val, *test}) == 2300
    assert train[:100] == ids['train100']
    assert train[:300] == ids['train300']


@pytest.mark.parametrize('leaf', STEPS)
def test_a_step_that_mixes_leaves_the_frozen_layers_alone(leaf, data):
    cfg = Config(moved(load(leaf).to_dict(), data))
    apply_mix(cfg, 'lossmix')
    drop_pretrained(cfg)
    model = MODELS.build(cfg.model)
    model.init_weights()
    pair_all(model)
    model.train()
    (mixer,) = mixers_of(model).values()
    assert type(mixer.supervision).__name__ == 'LossMix'
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[k] for k in range(2)])
    mixed = model.data_preprocessor(copy.deepcopy(batch), training=True)
    assert all(is_mixed(sample.metainfo) for sample in mixed['data_samples'])

    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = model.train_step(batch, build_optim_wrapper(model, cfg.optim_wrapper))
    assert STEPS[leaf] == {name for name in losses if name.startswith('loss_')}
    assert all(torch.isfinite(loss).all() for loss in losses.values())
    changed = {
        name
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    still = tuple(f'backbone.layers.{number}.' for number in range(4))
    assert not [name for name in changed if name.startswith(still)]
    assert [name for name in changed if name.startswith('backbone.layers.5.')]


@pytest.fixture
def double(monkeypatch) -> Iterator[None]:
    """Numbers in which layouts differ by next to nothing; mmcv's NMS takes single."""
    nms = ext_module.nms
    monkeypatch.setattr(
        ext_module,
        'nms',
        lambda boxes, scores, **k: nms(boxes.float(), scores.float(), **k),
    )
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize('leaf', STEPS)
def test_what_is_trained_does_not_depend_on_the_layout_in_memory(leaf, data, double):
    cfg = Config(moved(load(leaf).to_dict(), data))
    assert dict(type='ChannelsLastHook') in cfg.custom_hooks
    drop_pretrained(cfg)
    stock = MODELS.build(cfg.model)
    stock.init_weights()
    converted = copy.deepcopy(stock)
    ChannelsLastHook().before_run(SimpleNamespace(model=converted))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([dataset[k] for k in range(2)])
    losses, gradients = [], []
    for model in (stock, converted):
        torch.manual_seed(0)
        seen = model.data_preprocessor(copy.deepcopy(batch), training=True)
        inputs = seen['inputs'].double()
        parts = model(inputs, seen['data_samples'], mode='loss')
        total, logs = model.parse_losses(parts)
        total.backward()
        losses.append(logs)
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(*losses)
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected)
