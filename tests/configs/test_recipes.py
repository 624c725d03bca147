"""The recipes of the papers, number by number."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from .config_cases import LEAVES, load, pipelines, split

IMAGENET = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
RESNET_FAMILY = [
    leaf
    for leaf in LEAVES
    if leaf.startswith('ssd300-r50')
    and not (split(leaf)[1] or '').endswith('pretrained')
]
SGD_FAMILY = [
    leaf
    for leaf in LEAVES
    if leaf.startswith('ssd300_') or leaf.endswith('-pretrained.py')
    if leaf.startswith('ssd300')
]
CROP = [
    'CheckedLoadImageFromFile',
    'LoadAnnotations',
    'MinIoURandomCrop',
    'Resize',
    'RandomFlip',
    'PhotoMetricDistortion',
    'PackDetInputs',
]


def optimizer_of(leaf: str) -> torch.optim.Optimizer:
    """The built optimizer of a leaf, over one parameter."""
    cfg = copy.deepcopy(load(leaf).optim_wrapper)
    return build_optim_wrapper(nn.Linear(1, 1), cfg).optimizer


@pytest.mark.parametrize('leaf', RESNET_FAMILY)
def test_boxmix_paper_section_4_1(leaf):
    cfg = load(leaf)
    optimizer = optimizer_of(leaf)
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.defaults['lr'] == 3e-4
    assert optimizer.defaults['betas'][0] == 0.9
    assert optimizer.defaults['weight_decay'] == 5e-4
    assert cfg.auto_scale_lr.base_batch_size == 32
    assert cfg.model.backbone.type == 'ResNet'
    assert cfg.model.backbone.depth == 50
    assert cfg.model.backbone.init_cfg.checkpoint == 'torchvision://resnet50'
    assert cfg.model.data_preprocessor.mean == IMAGENET['mean']
    assert cfg.model.data_preprocessor.std == IMAGENET['std']
    assert cfg.model.train_cfg.assigner.pos_iou_thr == 0.5
    assert cfg.model.test_cfg.nms == dict(type='nms', iou_threshold=0.45)
    assert cfg.model.test_cfg.max_per_img == 200
    for pipeline in pipelines(cfg.train_dataloader.dataset):
        assert [step.type for step in pipeline] == CROP
        assert pipeline[3] == dict(type='Resize', scale=(300, 300), keep_ratio=False)


@pytest.mark.parametrize('leaf', RESNET_FAMILY)
def test_the_rate_falls_by_a_twentieth_after_every_epoch(leaf):
    assert load(leaf).train_cfg.max_epochs == 120
    optimizer = optimizer_of(leaf)
    (cfg,) = load(leaf).param_scheduler
    scheduler = PARAM_SCHEDULERS.build(dict(cfg), default_args={'optimizer': optimizer})
    for epoch in range(5):
        assert optimizer.param_groups[0]['lr'] == pytest.approx(3e-4 * 0.95**epoch)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize('leaf', SGD_FAMILY)
def test_cutmix_supplement_section_c(leaf):
    cfg = load(leaf)
    optimizer = optimizer_of(leaf)
    assert type(optimizer) is torch.optim.SGD
    assert optimizer.defaults['lr'] == 1e-3
    # of the SSD paper, which this section follows
    assert optimizer.defaults['momentum'] == 0.9
    assert optimizer.defaults['weight_decay'] == 5e-4
    assert cfg.auto_scale_lr.base_batch_size == 32
    assert cfg.train_cfg.type == 'IterBasedTrainLoop'
    assert cfg.train_cfg.max_iters == 120_000
    for pipeline in pipelines(cfg.train_dataloader.dataset):
        assert [step.type for step in pipeline] == [*CROP[:2], 'Expand', *CROP[2:]]

    (schedule,) = cfg.param_scheduler
    assert schedule.by_epoch is False
    scheduler = PARAM_SCHEDULERS.build(
        dict(schedule), default_args={'optimizer': optimizer}
    )
    rates = {}
    for step in range(100_001):
        rates[step] = optimizer.param_groups[0]['lr']
        optimizer._opt_called = True  # what optimizer.step() would leave behind
        scheduler.step()
    assert rates[79_999] == pytest.approx(1e-3)
    assert rates[80_000] == rates[99_999] == pytest.approx(1e-4)
    assert rates[100_000] == pytest.approx(1e-5)


def test_the_cutmix_backbone_is_an_argument(tmp_path):
    """A checkpoint as image classifiers are released: in a wrapper, with a head."""
    path = tmp_path / 'mine.pth'
    cfg = copy.deepcopy(load('ssd300-r50_voc_cutmix-pretrained.py'))
    cfg.merge_from_dict({'model.backbone.init_cfg.checkpoint': str(path)})
    backbone = MODELS.build(cfg.model.backbone)
    weights = {f'module.{k}': v + 1 for k, v in backbone.state_dict().items()}
    weights['module.fc.weight'] = torch.zeros(1000, 2048)
    torch.save({'epoch': 300, 'state_dict': weights}, path)
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, weights[f'module.{name}']), name


def test_without_its_cutmix_backbone_the_file_is_named():
    cfg = copy.deepcopy(load('ssd300-r50_voc_cutmix-pretrained.py'))
    backbone = MODELS.build(cfg.model.backbone)
    with pytest.raises(FileNotFoundError, match='checkpoints/resnet50_cutmix.pth'):
        backbone.init_weights()


@pytest.mark.parametrize(
    'leaf', [leaf for leaf in LEAVES if split(leaf)[1] != 'lossmix-partial']
)
def test_mixing_lasts_from_the_first_iteration_to_the_last(leaf):
    hook = HOOKS.build(dict(load(leaf).custom_hooks[2]))
    assert hook.enabled_at(0, 100)
    assert hook.enabled_at(99, 100)


def test_the_documented_way_to_stop_mixing_early():
    cfg = copy.deepcopy(load('ssd300_voc_lossmix.py'))
    cfg.merge_from_dict({'custom_hooks.2.last': 2000})
    hook = HOOKS.build(dict(cfg.custom_hooks[2]))
    assert hook.enabled_at(117_999, 120_000)
    assert not hook.enabled_at(118_000, 120_000)


def ann_files(dataset: dict) -> list[str]:
    """The annotation files of a dataset config."""
    parts = dataset.get('datasets', [dataset])
    return [part['data_root'] + part['ann_file'] for part in parts]


@pytest.mark.parametrize('leaf', LEAVES)
def test_splits(leaf):
    voc, coco = 'data/VOCdevkit/', 'data/coco/annotations/instances_'
    train = {
        'voc': [
            f'{voc}VOC2007/ImageSets/Main/trainval.txt',
            f'{voc}VOC2012/ImageSets/Main/trainval.txt',
        ],
        'voc07': [f'{voc}VOC2007/ImageSets/Main/trainval.txt'],
        'coco': [f'{coco}train2017.json'],
        'digits': ['data/digits/ImageSets/Main/train.txt'],
    }
    test = {
        'voc': f'{voc}VOC2007/ImageSets/Main/test.txt',
        'voc07': f'{voc}VOC2007/ImageSets/Main/test.txt',
        'coco': f'{coco}val2017.json',
        'digits': 'data/digits/ImageSets/Main/test.txt',
    }
    data = split(leaf)[0].rpartition('_')[2]
    cfg = load(leaf)
    assert ann_files(cfg.train_dataloader.dataset) == train[data]
    assert ann_files(cfg.test_dataloader.dataset) == [test[data]]
    selected = test[data].replace('test', 'val') if data == 'digits' else test[data]
    assert ann_files(cfg.val_dataloader.dataset) == [selected]
