"""The models and recipes beside SSD's, against mmdet's and the papers' sources."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from torch import nn

from .config_cases import LEAVES, classifier, load, mmdet_config, pipelines, plain

FASTER_RCNN = [
    leaf
    for leaf in LEAVES
    if leaf.startswith(('faster-rcnn_r50_', 'faster-rcnn_r101_'))
]
CUTMIX = 'faster-rcnn_r50_voc_cutmix-pretrained.py'
LOSSMIX_DETECTORS = ('fcos', 'detr')


def model_of(leaf: str) -> dict[str, Any]:
    """A leaf's model as plain dicts, without what makes the method."""
    model = plain(leaf, without_mixing=True)['model']
    model.pop('_scope_', None)
    return model


def optimizer_of(leaf: str, net: nn.Module) -> torch.optim.Optimizer:
    """The built optimizer of a leaf, over a network."""
    return build_optim_wrapper(net, copy.deepcopy(load(leaf).optim_wrapper)).optimizer


@pytest.mark.parametrize('leaf', [leaf for leaf in FASTER_RCNN if leaf != CUTMIX])
def test_faster_rcnn_is_mmdets_but_for_heads_and_norm(leaf):
    """mmdet's has what Detectron2's default has; the next test says so."""
    depth = int(leaf.split('_')[1].removeprefix('r'))
    expected = mmdet_config('_base_/models/faster-rcnn_r50_fpn.py')['model']
    expected['backbone'].update(
        depth=depth, norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False
    )
    expected['backbone']['init_cfg']['checkpoint'] = f'torchvision://resnet{depth}'
    expected['rpn_head']['type'] = 'MixRPNHead'
    expected['roi_head']['type'] = 'MixStandardRoIHead'
    expected['roi_head']['bbox_head']['type'] = 'MixShared2FCBBoxHead'
    expected['roi_head']['bbox_head']['num_classes'] = 80 if '_coco' in leaf else 20
    assert model_of(leaf) == expected


def test_detectron2_defaults_of_faster_rcnn():
    model = load('faster-rcnn_r50_voc.py').model
    anchors = TASK_UTILS.build(copy.deepcopy(model.rpn_head.anchor_generator))
    sizes = [(level[:, 2:] - level[:, :2]) for level in anchors.base_anchors]
    for level, size in zip(sizes, (32, 64, 128, 256, 512)):
        torch.testing.assert_close(level.prod(1).sqrt(), torch.full((3,), float(size)))
        torch.testing.assert_close(level[:, 1] / level[:, 0], torch.tensor([0.5, 1, 2]))
    rpn, rcnn = model.train_cfg.rpn, model.train_cfg.rcnn
    assert (rpn.assigner.neg_iou_thr, rpn.assigner.pos_iou_thr) == (0.3, 0.7)
    assert (rpn.sampler.num, rpn.sampler.pos_fraction) == (256, 0.5)
    assert (rcnn.assigner.neg_iou_thr, rcnn.assigner.pos_iou_thr) == (0.5, 0.5)
    assert (rcnn.sampler.num, rcnn.sampler.pos_fraction) == (512, 0.25)
    for proposals, before in (
        (model.train_cfg.rpn_proposal, 2000),
        (model.test_cfg.rpn, 1000),
    ):
        assert (proposals.nms_pre, proposals.max_per_img) == (before, 1000)
        assert proposals.nms.iou_threshold == 0.7
    test = model.test_cfg.rcnn
    assert (test.score_thr, test.nms.iou_threshold) == (0.05, 0.5)
    assert test.max_per_img == 100


def norm_layers(leaf: str) -> dict[str, nn.Module]:
    """The norm layers of a leaf's built backbone in training mode, by name."""
    cfg = copy.deepcopy(load(leaf).model.backbone)
    backbone = MODELS.build(dict(cfg, depth=18))
    backbone.train()
    kind = nn.modules.batchnorm._BatchNorm
    return {n: m for n, m in backbone.named_modules() if isinstance(m, kind)}


def test_faster_rcnn_trains_sync_bn_behind_the_frozen_stages():
    norms = norm_layers('faster-rcnn_r50_voc.py')
    assert all(isinstance(module, nn.SyncBatchNorm) for module in norms.values())
    frozen = {name for name, module in norms.items() if not module.training}
    assert frozen == {name for name in norms if name.startswith(('bn1', 'layer1'))}
    assert frozen == {n for n, m in norms.items() if not m.weight.requires_grad}


def test_sync_bn_becomes_bn_where_it_cannot_be():
    cfg = copy.deepcopy(load('faster-rcnn_r50_voc.py').model.backbone)
    reverted = revert_sync_batchnorm(MODELS.build(dict(cfg, depth=18)))
    reverted.train()
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in reverted.modules())
    before = reverted.layer4[0].bn1.running_mean.clone()
    reverted(torch.randn(2, 3, 64, 64))
    assert not torch.equal(reverted.layer4[0].bn1.running_mean, before)


@pytest.mark.parametrize('dataset', ['voc', 'coco'])
def test_yolov3_is_mmdets_with_another_head(dataset):
    ours = model_of(f'yolov3_d53_{dataset}.py')
    stock = mmdet_config('yolo/yolov3_d53_8xb8-ms-608-273e_coco.py')['model']
    assert ours['bbox_head'].pop('type') == 'MixYOLOV3Head'
    assert stock['bbox_head'].pop('type') == 'YOLOV3Head'
    assert ours['bbox_head'].pop('num_classes') == (20 if dataset == 'voc' else 80)
    assert stock['bbox_head'].pop('num_classes') == 80
    assert ours == stock


def test_yolov3_on_coco_trains_as_mmdets():
    ours = plain('yolov3_d53_coco.py')
    stock = mmdet_config('yolo/yolov3_d53_8xb8-ms-608-273e_coco.py')
    assert ours['optim_wrapper'] == stock['optim_wrapper']
    assert ours['param_scheduler'] == stock['param_scheduler']
    for key in ('max_epochs', 'val_interval'):
        assert ours['train_cfg'][key] == stock['train_cfg'][key]
    assert ours['auto_scale_lr']['base_batch_size'] == 64


@pytest.mark.parametrize('dataset', ['voc', 'coco'])
def test_yolov3_pipelines_are_mmdets(dataset):
    stock = mmdet_config('yolo/yolov3_d53_8xb8-ms-608-273e_coco.py')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        (expected,) = pipelines(stock[loader]['dataset'])
        for pipeline in pipelines(plain(f'yolov3_d53_{dataset}.py')[loader]['dataset']):
            assert pipeline[1:-1] == expected[1:-1]


def test_yolov3_on_voc_follows_darknet():
    """cfg/yolov3-voc.cfg: learning_rate, batch, burn_in, max_batches and steps."""
    cfg = load('yolov3_d53_voc.py')
    group = optimizer_of('yolov3_d53_voc.py', nn.Linear(1, 1)).param_groups[0]
    assert (group['lr'], group['momentum'], group['weight_decay']) == (1e-3, 0.9, 5e-4)
    assert cfg.train_cfg.max_iters == 50_200
    assert cfg.auto_scale_lr.base_batch_size == 64
    warm_up, steps = cfg.param_scheduler
    assert (warm_up.type, warm_up.begin, warm_up.end) == ('LinearLR', 0, 1000)
    assert (steps.milestones, steps.gamma) == ([40_000, 45_000], 0.1)


@pytest.mark.parametrize(
    ('name', 'stock'),
    [
        ('retinanet', 'pascal_voc/retinanet_r50_fpn_1x_voc0712.py'),
        ('fcos', 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py'),
        ('detr', 'detr/detr_r50_8xb2-150e_coco.py'),
    ],
)
def test_other_detectors_are_mmdets(name, stock):
    ours = model_of(f'{name}_r50_voc.py')
    expected = mmdet_config(stock)['model']
    classifier(expected)['num_classes'] = 20
    if name == 'retinanet':
        expected['bbox_head']['type'] = 'MixRetinaHead'
    if name == 'fcos':  # has Caffe's backbone in mmdet
        assert ours.pop('train_cfg') == {}
        retinanet = model_of('retinanet_r50_voc.py')
        for key in ('backbone', 'data_preprocessor'):
            expected[key] = retinanet[key]
    assert ours == expected


def test_detr_trains_as_mmdets():
    ours, stock = (
        plain('detr_r50_voc.py'),
        mmdet_config('detr/detr_r50_8xb2-150e_coco.py'),
    )
    assert ours['optim_wrapper'] == stock['optim_wrapper']
    assert ours['train_cfg']['max_epochs'] == stock['train_cfg']['max_epochs'] == 150
    (step,) = ours['param_scheduler']
    assert step['milestones'] == stock['param_scheduler'][0]['milestones'] == [100]
    (expected,) = pipelines(stock['train_dataloader']['dataset'])
    for pipeline in pipelines(ours['train_dataloader']['dataset']):
        assert pipeline[1:3] == expected[1:3]
        assert sizes(pipeline[3]) == sizes(expected[3])


def sizes(choice: dict[str, Any]) -> list[list[Any]]:
    """The sides and crops of DETR's two ways to resize; sides in any order."""
    return [
        [
            sorted(map(sorted, step['scales'])) if 'scales' in step else step
            for step in way
        ]
        for way in choice['transforms']
    ]


@pytest.mark.parametrize('name', ['retinanet', 'fcos'])
def test_one_stage_detectors_see_as_many_images_as_faster_rcnn(name):
    cfg, reference = load(f'{name}_r50_voc.py'), load('faster-rcnn_r50_voc.py')
    ratio = reference.auto_scale_lr.base_batch_size / cfg.auto_scale_lr.base_batch_size
    assert cfg.train_cfg.max_iters == ratio * reference.train_cfg.max_iters == 72_000
    assert cfg.param_scheduler[1].milestones == [
        ratio * step for step in reference.param_scheduler[1].milestones
    ]
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4
    )


@pytest.mark.parametrize('name', LOSSMIX_DETECTORS)
def test_lossmix_of_other_detectors_shares_lam_in_a_batch(name):
    model = load(f'{name}_r50_voc_lossmix.py').model
    assert model.detector == load(f'{name}_r50_voc.py').model.type
    (mixer,) = (MODELS.build(cfg) for cfg in model.data_preprocessor.batch_augments)
    assert (mixer.lam_per, mixer.settings.ratio.alpha) == ('batch', 1.0)


@pytest.mark.parametrize(
    ('leaf', 'cells', 'anchors'),
    [
        ('demo/faster-rcnn_digits.py', (20, 10), 3000),
        ('demo/yolov3_digits.py', (5, 10, 20), 1575),
    ],
)
def test_levels_and_anchors_of_the_demo(leaf, cells, anchors):
    model = MODELS.build(copy.deepcopy(load(leaf).model)).eval()
    with torch.no_grad():
        features = model.extract_feat(torch.zeros(1, 3, 160, 160))
    shapes = [tuple(feature.shape[-2:]) for feature in features]
    assert shapes == [(side, side) for side in cells]
    head = getattr(model, 'rpn_head', None) or model.bbox_head
    priors = head.prior_generator.grid_priors(shapes, device='cpu')
    assert sum(len(level) for level in priors) == anchors
