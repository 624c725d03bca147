"""The transfer recipes of the CutMix supplement, sec. C, on Faster R-CNN."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from torch import nn

from .config_cases import load, pipelines, plain
from .test_detector_models import CUTMIX, model_of, norm_layers, optimizer_of

C4 = 'faster-rcnn_r50-c4_voc.py'
C4_CUTMIX = 'faster-rcnn_r50-c4_voc_cutmix-pretrained.py'
TRANSFERS = (CUTMIX, C4, C4_CUTMIX)


@pytest.mark.parametrize('leaf', TRANSFERS)
def test_cutmix_supplement_section_c_on_faster_rcnn(leaf):
    cfg = load(leaf)
    assert cfg.train_cfg == dict(
        type='IterBasedTrainLoop', max_iters=120_000, val_interval=10_000
    )
    assert cfg.param_scheduler == [
        dict(type='MultiStepLR', milestones=[100_000], gamma=0.1, by_epoch=False)
    ]
    assert cfg.auto_scale_lr.base_batch_size == 8
    net = nn.Conv2d(1, 1, 1)
    weight, bias = optimizer_of(leaf, net).param_groups
    assert (weight['params'], bias['params']) == ([net.weight], [net.bias])
    assert weight['lr'] == bias['lr'] == 0.01
    # of the code that the supplement names
    assert weight['momentum'] == bias['momentum'] == 0.9
    assert (weight['weight_decay'], bias['weight_decay']) == (1e-4, 0.0)
    for loader, step in (('train', 2), ('val', 1), ('test', 1)):
        for pipeline in pipelines(cfg[f'{loader}_dataloader'].dataset):
            assert pipeline[step] == dict(
                type='Resize', scale=(1000, 600), keep_ratio=True
            )
    assert not any(module.training for module in norm_layers(leaf).values())


def test_the_cutmix_model_is_that_of_the_family_but_for_norm_and_weights():
    model, family = model_of(CUTMIX), model_of('faster-rcnn_r50_voc.py')
    init_cfg = model['backbone'].pop('init_cfg')
    assert init_cfg['checkpoint'] == 'checkpoints/resnet50_cutmix.pth'
    assert model['backbone'].pop('norm_cfg') == dict(type='BN', requires_grad=False)
    assert model['backbone'].pop('norm_eval') is True
    for key in ('init_cfg', 'norm_cfg', 'norm_eval'):
        del family['backbone'][key]
    assert model == family


def test_the_model_without_fpn_is_that_of_the_code_the_supplement_names():
    """jwyang/faster-rcnn.pytorch: cfgs/res50.yml and lib/model/utils/config.py."""
    model = copy.deepcopy(load(C4).model)
    assert 'neck' not in model
    anchors = TASK_UTILS.build(copy.deepcopy(model.rpn_head.anchor_generator))
    assert anchors.strides == [(16, 16)]  # FEAT_STRIDE
    (sizes,) = (level[:, 2:] - level[:, :2] for level in anchors.base_anchors)
    expected = torch.tensor([128.0, 256, 512])  # ANCHOR_SCALES 8, 16, 32
    torch.testing.assert_close(sizes.prod(1).sqrt().view(3, 3), expected.expand(3, 3))
    rpn, rcnn = model.train_cfg.rpn, model.train_cfg.rcnn
    assert (rpn.assigner.neg_iou_thr, rpn.assigner.pos_iou_thr) == (0.3, 0.7)
    assert (rpn.sampler.num, rpn.sampler.pos_fraction) == (256, 0.5)
    assert rpn.allowed_border == 0
    assert (rcnn.assigner.neg_iou_thr, rcnn.assigner.pos_iou_thr) == (0.5, 0.5)
    assert (rcnn.sampler.num, rcnn.sampler.pos_fraction) == (256, 0.25)
    for proposals, before, after in (
        (model.train_cfg.rpn_proposal, 12_000, 2000),
        (model.test_cfg.rpn, 6000, 300),
    ):
        assert (proposals.nms_pre, proposals.max_per_img) == (before, after)
        assert proposals.nms.iou_threshold == 0.7
    assert model.test_cfg.rcnn.nms.iou_threshold == 0.3
    assert model.backbone.frozen_stages == 1  # FIXED_BLOCKS
    assert model.roi_head.bbox_roi_extractor.roi_layer.output_size == 7
    head = model.roi_head.bbox_head
    assert tuple(head.bbox_coder.target_stds) == (0.1, 0.1, 0.2, 0.2)
    assert (head.reg_class_agnostic, head.num_classes) == (False, 20)


def test_the_model_without_fpn_pools_what_its_last_stage_gives():
    """7 x 7 cells become 4 x 4, of which the head takes the mean."""
    roi_head = copy.deepcopy(load(C4).model.roi_head)
    stage = MODELS.build(dict(roi_head.shared_head, init_cfg=None))
    size = roi_head.bbox_roi_extractor.roi_layer.output_size
    out = stage(torch.randn(1, 1024, size, size))
    side = roi_head.bbox_head.roi_feat_size
    assert out.shape == (1, roi_head.bbox_head.in_channels, side, side)


def test_both_transfers_differ_from_their_baseline_by_the_weights_alone():
    """The baseline of either schedule starts from plain ImageNet weights."""
    imagenet, cutmix = 'torchvision://resnet50', 'checkpoints/resnet50_cutmix.pth'
    ssd = 'ssd300-r50_voc_imagenet-pretrained.py'
    for baseline, leaf, parts in (
        (C4, C4_CUTMIX, 2),
        (ssd, ssd.replace('imagenet', 'cutmix'), 1),
    ):
        texts = []
        for name, checkpoint in ((baseline, imagenet), (leaf, cutmix)):
            text = repr(plain(name))
            assert text.count(checkpoint) == parts
            texts.append(text.replace(checkpoint, 'WEIGHTS'))
        assert texts[0] == texts[1]


@pytest.mark.parametrize('name', ['backbone', 'shared_head'])
def test_the_c4_model_takes_torchvisions_file(name, tmp_path):
    """Its last stage is the head's; both read one file of a whole ResNet-50."""
    torch.manual_seed(0)
    whole = MODELS.build(dict(type='ResNet', depth=50, style='pytorch')).state_dict()
    path = tmp_path / 'resnet50.pth'
    torch.save(whole, path)
    model = copy.deepcopy(load(C4_CUTMIX).model)
    cfg = model.backbone if name == 'backbone' else model.roi_head.shared_head
    part = MODELS.build(dict(cfg, init_cfg=dict(cfg.init_cfg, checkpoint=str(path))))
    part.init_weights()
    for key, value in part.state_dict().items():
        assert torch.equal(value, whole[key]), key
