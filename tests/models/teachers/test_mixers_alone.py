"""A teacher that is told its method by its mixers and nothing else."""

from __future__ import annotations

import pytest
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from mmmix.models.supervisions import build_supervision
from mmmix.models.teachers.pseudo_regression import (
    weighs_mixed_regression,
    weighs_regression,
)
from mmmix.models.teachers.semi_checks import build_mixers, check_ignoring
from tests.models.detectors import zoo
from tests.models.teachers import semi

from .terms import losses_of

TERMS = ('sup', 'unsup', 'cross')


def mixers(**settings):
    """The same mixer for every term."""
    return dict.fromkeys(TERMS, semi.mixer(0.4, lam_per='batch', **settings))


def built(name, wrapped=False):
    """A small detector, as in a config, without a supervision of its own."""
    init_default_scope('mmdet')
    cfg = semi.detector(name)
    if wrapped:
        cfg = ConfigDict(cfg, type='LossMixDetector', detector=cfg.type)
    return MODELS.build(cfg)


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3'])
@pytest.mark.parametrize('kind', ['LossMix', 'BoxMix', 'WeightedUnion', 'Union'])
def test_the_stamp_of_the_mixers_is_as_good_as_the_heads_own(name, kind):
    """Also where pseudo-boxes teach no regression."""
    whole, _ = losses_of(semi.configure(name, kind, mixers(), regress_pseudo=False))
    model = semi.configure(name, None, None, regress_pseudo=False)
    for head in semi.DETECTORS[name][1]:
        getattr(model.student, head).supervision = None
    model.mixers = build_mixers(mixers(supervision=dict(type=kind)))
    losses, _ = losses_of(model)
    semi.assert_same(losses, whole)
    for term in TERMS:
        assert any(value.any() for value in semi.named(losses, term).values())


def test_each_term_has_its_own():
    """LossMix on labelled images, Union on pairs."""
    model = semi.configure('SSD')
    model.student.bbox_head.supervision = None
    kinds = dict(sup='LossMix', cross='Union')
    cfgs = mixers()
    model.mixers = build_mixers(
        {t: dict(cfgs[t], supervision=dict(type=k)) for t, k in kinds.items()}
    )
    losses, _ = losses_of(model)
    for term, kind in kinds.items():
        cfg = {term: semi.mixer(0.4, lam_per='batch')}
        alone, _ = losses_of(semi.configure('SSD', kind, cfg))
        semi.assert_same(semi.named(losses, term), semi.named(alone, term))


KINDS = {
    'LossMix': dict(type='LossMix'),
    'LossMix of classes': dict(type='LossMix', reg=False),
    'LossMix of boxes': dict(type='LossMix', cls=False),
    'Union': dict(type='Union'),
    'BoxMix': dict(type='BoxMix'),
    'WeightedUnion': dict(type='WeightedUnion'),
}


@pytest.mark.parametrize('name', semi.DETECTORS)
def test_mix_aware_heads_weigh_boxes_whatever_is_stamped(name):
    detector = built(name)
    assert weighs_regression(detector)
    for kind in KINDS.values():
        assert weighs_mixed_regression(detector, build_supervision(kind))


@pytest.mark.parametrize('kind', KINDS)
def test_a_wrapped_detector_weighs_boxes_in_passes_of_a_component(kind):
    stamp = build_supervision(KINDS[kind])
    detector = built(semi.STOCK, wrapped=True)
    assert weighs_regression(detector)
    assert weighs_mixed_regression(detector, stamp) == (kind == 'LossMix')
    # its own goes before
    detector.supervision = build_supervision(dict(type='LossMix'))
    assert weighs_mixed_regression(detector, stamp)
    detector.supervision = build_supervision(dict(type='Union'))
    assert not weighs_mixed_regression(detector, stamp)


def test_stock_heads_do_not_weigh_boxes():
    detector = built(semi.STOCK)
    assert not weighs_regression(detector)
    assert not weighs_mixed_regression(detector, build_supervision(None))
    # a stock box head behind heads that do
    cfg = semi.detector('FasterRCNN')
    cfg.roi_head.bbox_head.type = 'Shared2FCBBoxHead'
    init_default_scope('mmdet')
    try:
        detector = MODELS.build(cfg)
    except (TypeError, ValueError):
        return
    assert not weighs_regression(detector)


def test_cross_is_refused_by_what_its_mixer_stamps():
    cfg = semi.detector(semi.STOCK)
    cfg = ConfigDict(cfg, type='LossMixDetector', detector=cfg.type)
    settings = dict(semi_train_cfg=dict(regress_pseudo=False))
    for kind, fits in (('LossMix', True), ('Union', False)):
        cross = semi.mixer(0.4, lam_per='batch', supervision=dict(type=kind))
        config = semi.config(cfg, mixers=dict(cross=cross), **settings)
        if fits:
            MODELS.build(config)
            continue
        with pytest.raises(ValueError, match=r"LossMix'\) in mixers.cross"):
            MODELS.build(config)
    # Noise has no pseudo-boxes to tell apart.
    cross = semi.mixer(0.9, keep='dominant')
    MODELS.build(semi.config(cfg, mixers=dict(cross=cross), **settings))


def test_terms_that_are_one_are_refused_when_pseudo_boxes_teach_no_regression(
    monkeypatch,
):
    path = 'free_anchor/freeanchor_r50_fpn_1x_coco.py'
    monkeypatch.setitem(zoo.CONFIGS, 'FreeAnchor', path)
    init_default_scope('mmdet')
    cfg = zoo.config('FreeAnchor').model
    with pytest.raises(ValueError, match='positive_bag_loss.*regress_pseudo=True'):
        MODELS.build(semi.config(cfg, semi_train_cfg=dict(regress_pseudo=False)))
    MODELS.build(semi.config(cfg))


# Where a detector assigns anchors, as keys of its train_cfg.
ASSIGNERS = {
    'RetinaNet': [('assigner',)],
    'ATSS': [('assigner',)],
    'CascadeRCNN': [
        ('rpn', 'assigner'),
        *(('rcnn', stage, 'assigner') for stage in range(3)),
    ],
    'MaskRCNN': [('rpn', 'assigner'), ('rcnn', 'assigner')],
}


@pytest.mark.parametrize('name', ASSIGNERS)
def test_every_assigner_must_heed_boxes_to_ignore(name):
    """One that does not makes background of them."""
    for deaf in (*ASSIGNERS[name], None):
        cfg = zoo.config(name)
        for keys in ASSIGNERS[name]:
            node = cfg.model.train_cfg
            for key in keys:
                node = node[key]
            node.ignore_iof_thr = -1 if keys == deaf else 0.5
        detector = zoo.build(cfg)
        if deaf is None:
            check_ignoring(detector)
            continue
        with pytest.raises(ValueError, match='not heeded: .*assigner'):
            check_ignoring(detector)


@pytest.mark.parametrize('name', ['FCOS', 'DETR', 'RTMDet', 'YOLOX', 'DINO'])
def test_detectors_without_such_an_assigner_are_refused(name):
    with pytest.raises(ValueError, match='no effect'):
        check_ignoring(zoo.build(zoo.config(name)))


def test_yolov3_has_the_threshold_in_its_head():
    detector = built('YOLOv3')
    check_ignoring(detector)
    detector.bbox_head.ignore_iof_thr = -1
    with pytest.raises(ValueError, match='not heeded: bbox_head'):
        check_ignoring(detector)
