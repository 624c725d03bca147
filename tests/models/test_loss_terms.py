"""Which losses supervise box coordinates, over the detectors of mmdet."""

from __future__ import annotations

import pytest
from mmengine.logging import MessageHub
from torch import nn

from mmmix.models import loss_terms
from mmmix.models.loss_terms import (
    check_separable,
    declare_terms,
    regression_names,
)
from tests.models.detectors import zoo

# config -> (losses of box coordinates, other losses), without what is in front
BOXES, SCORES = {'loss_bbox'}, {'loss_cls'}
RPN = ({'loss_rpn_bbox'}, {'loss_rpn_cls'})
TERMS = {
    'retinanet/retinanet_r50_fpn_1x_coco.py': (BOXES, SCORES),
    'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py': (
        BOXES,
        {*SCORES, 'loss_centerness'},
    ),
    'atss/atss_r50_fpn_1x_coco.py': (BOXES, {*SCORES, 'loss_centerness'}),
    'rtmdet/rtmdet_tiny_8xb32-300e_coco.py': (BOXES, SCORES),
    'yolox/yolox_tiny_8xb8-300e_coco.py': (BOXES, {*SCORES, 'loss_obj'}),
    'cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py': (
        BOXES | RPN[0],
        SCORES | RPN[1],
    ),
    'mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py': (
        BOXES | RPN[0],
        {*SCORES, *RPN[1], 'loss_mask'},
    ),
    'detr/detr_r50_8xb2-150e_coco.py': ({*BOXES, 'loss_iou'}, SCORES),
    'dino/dino-4scale_r50_8xb2-12e_coco.py': ({*BOXES, 'loss_iou'}, SCORES),
    # their score of quality is a classification
    'paa/paa_r50_fpn_1x_coco.py': (BOXES, {*SCORES, 'loss_iou'}),
    'ddod/ddod_r50_fpn_1x_coco.py': (BOXES, {*SCORES, 'loss_iou'}),
    # what other names hide
    'sabl/sabl-retinanet_r50_fpn_1x_coco.py': (
        {'loss_bbox_cls', 'loss_bbox_reg'},
        SCORES,
    ),
    'sabl/sabl-faster-rcnn_r50_fpn_1x_coco.py': (
        {'loss_bbox_cls', 'loss_bbox_reg', 'loss_rpn_bbox'},
        SCORES | RPN[1],
    ),
    'guided_anchoring/ga-retinanet_r50-caffe_fpn_1x_coco.py': (
        {*BOXES, 'loss_shape'},
        {*SCORES, 'loss_loc'},
    ),
    'guided_anchoring/ga-rpn_r50-caffe_fpn_1x_coco.py': (
        {'loss_rpn_bbox', 'loss_anchor_shape'},
        {'loss_rpn_cls', 'loss_anchor_loc'},
    ),
    'pisa/retinanet-r50_fpn_pisa_1x_coco.py': ({*BOXES, 'loss_carl'}, SCORES),
    'gfl/gfl_r50_fpn_1x_coco.py': ({*BOXES, 'loss_dfl'}, SCORES),
    'vfnet/vfnet_r50_fpn_1x_coco.py': ({*BOXES, 'loss_bbox_rf'}, SCORES),
    'tood/tood_r50_fpn_1x_coco.py': (BOXES, SCORES),
    'yolof/yolof_r50-c5_8xb8-1x_coco.py': (BOXES, SCORES),
    'foveabox/fovea_r50_fpn_4xb4-1x_coco.py': (BOXES, SCORES),
    'fsaf/fsaf_r50_fpn_1x_coco.py': (BOXES, SCORES),
    'reppoints/reppoints-moment_r50_fpn_1x_coco.py': (
        {'loss_pts_init', 'loss_pts_refine'},
        SCORES,
    ),
    'cascade_rpn/cascade-rpn_faster-rcnn_r50-caffe_fpn_1x_coco.py': (
        {*BOXES, 'loss_rpn_reg'},
        SCORES | RPN[1],
    ),
    'centernet/centernet_r18_8xb16-crop512-140e_coco.py': (
        {'loss_wh', 'loss_offset'},
        {'loss_center_heatmap'},
    ),
    'sparse_rcnn/sparse-rcnn_r50_fpn_1x_coco.py': ({*BOXES, 'loss_iou'}, SCORES),
    'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py': (
        {*BOXES, 'loss_iou'},
        SCORES,
    ),
    'conditional_detr/conditional-detr_r50_8xb2-50e_coco.py': (
        {*BOXES, 'loss_iou'},
        SCORES,
    ),
    'double_heads/dh-faster-rcnn_r50_fpn_1x_coco.py': (
        BOXES | RPN[0],
        SCORES | RPN[1],
    ),
    'libra_rcnn/libra-retinanet_r50_fpn_1x_coco.py': (BOXES, SCORES),
    'nas_fcos/nas-fcos_r50-caffe_fpn_nashead-gn-head_4xb4-1x_coco.py': (
        BOXES,
        {*SCORES, 'loss_centerness'},
    ),
}
JOINT = {
    'free_anchor/freeanchor_r50_fpn_1x_coco.py': 'positive_bag_loss',
    'autoassign/autoassign_r50-caffe_fpn_1x_coco.py': 'loss_pos',
}


# Those that cannot be narrower, or see no images as small as the others'.
WIDE = ('sabl-faster', 'ddod', 'centernet', 'sparse', 'deformable', 'conditional')


def losses_of(path, monkeypatch):
    """A small detector of a config of mmdet, and the names that it returns."""
    names = {path: name for name, path in zoo.CONFIGS.items()}
    monkeypatch.setitem(zoo.CONFIGS, path, path)
    if any(word in path for word in WIDE):
        # its own widths, and a backbone that fits them
        monkeypatch.setattr(zoo, '_WIDTHS', ())
        kept = {k: v for k, v in zoo._FIXED.items() if k != 'depth'}
        monkeypatch.setattr(zoo, '_FIXED', kept)
    if 'ddod' in path:
        monkeypatch.setattr(zoo, 'SHAPE', (400, 400))
    # TOOD asks for the epoch
    MessageHub.get_instance(path, log_scalars={}).update_info('epoch', 0)
    cfg = zoo.config(names.get(path, path))
    if any(word in path for word in WIDE) and 'ResNet' in cfg.model.backbone.type:
        cfg.model.backbone.pop('base_channels')
    model = zoo.build(cfg)
    with_masks = getattr(model, 'with_mask', False)
    samples = [zoo.sample(zoo.objects(i, 3, with_masks), i) for i in range(2)]
    return model, list(model.loss(zoo.images(2), samples))


def ending(name):
    """A name without stage, layer and part of the detector."""
    for start in ('dn_', 'enc_', 'rpn_'):
        name = name.rpartition('.')[2].removeprefix(start)
    return name


@pytest.mark.parametrize('path', TERMS)
def test_every_name_that_a_detector_returns(path, monkeypatch):
    model, names = losses_of(path, monkeypatch)
    found = regression_names(model, names)
    rest = {name for name in names if 'loss' in name} - found
    boxes, others = TERMS[path]
    assert {ending(name) for name in found} == boxes
    assert {ending(name) for name in rest} == others
    check_separable(model)
    # with the name of a term in front, as a teacher logs them
    longer = {f'unsup_{name}' for name in names}
    assert regression_names(model, longer) == {f'unsup_{name}' for name in found}


@pytest.mark.parametrize('path', JOINT)
def test_terms_that_are_one(path, monkeypatch):
    model, names = losses_of(path, monkeypatch)
    assert JOINT[path] in names
    for refuse in (check_separable, lambda m: regression_names(m, names)):
        with pytest.raises(ValueError, match=f'{JOINT[path]}.*in one'):
            refuse(model)


class Other(nn.Module):
    """A detector of someone's own."""


class Corners(nn.Module):
    """By corners, as CornerNet and CentripetalNet."""


def test_losses_by_corners():
    names = 'det_loss off_loss pull_loss push_loss guiding_loss centripetal_loss'
    found = regression_names(Corners(), names.split())
    assert found == {'off_loss', 'guiding_loss', 'centripetal_loss'}


@pytest.mark.parametrize('name', ['loss_quality', 'loss_iou', 'loss_reg_or_so'])
def test_what_nobody_knows_is_an_error_with_a_way_out(name, monkeypatch):
    monkeypatch.setattr(loss_terms, '_HEADS', dict(loss_terms._HEADS))
    with pytest.raises(ValueError, match=f"'{name}' of Other.*declare_terms"):
        regression_names(Other(), ['loss_bbox', name])
    declare_terms('Other', regression=[name])
    assert regression_names(Other(), ['loss_bbox', name]) == {'loss_bbox', name}
    declare_terms('Other', other=[name])
    assert regression_names(Other(), ['loss_bbox', name]) == {'loss_bbox'}


def test_what_is_no_loss_is_never_asked():
    names = ['acc', 's0.acc', 'pos_acc', 'pseudo_count', 'inner_iou']
    assert regression_names(Other(), names) == set()


class PAAHead(nn.Module):
    """Of the name of mmdet's."""


class DIIHead(nn.Module):
    """Likewise."""


def test_an_rpn_speaks_for_its_own_losses():
    model = Other()
    model.rpn_head, model.roi_head = PAAHead(), DIIHead()
    names = ['rpn_loss_iou', 's0.loss_iou']
    assert regression_names(model, names) == {'s0.loss_iou'}


def test_by_the_name_alone():
    names = ['s0.loss_bbox_cls', 'loss_mask_iou', 'loss_cls']
    assert regression_names(nn.Module(), names) == {'s0.loss_bbox_cls'}
