"""How MixTeacher is built, and what it refuses."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS

from mmmix.engine.find_mixers import find_batch_mixers
from mmmix.models.teachers import semi_checks
from mmmix.models.teachers.semi_train_settings import SemiTrainSettings
from tests.models.teachers import semi

SEEN = semi.scored(semi.objects(2, 20), (0.9, 0.95))
LABELLED = (semi.objects(2, 10), semi.objects(1, 11))
PHOTO = dict(type='DetDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3)


def build(name='SSD', supervision=None, **settings):
    """A freshly built model."""
    return MODELS.build(semi.config(semi.detector(name, supervision), **settings))


def test_settings_by_default():
    settings = SemiTrainSettings.build(None)
    assert settings.cls_pseudo_thr == 0.9
    assert (settings.sup_weight, settings.unsup_weight, settings.cross_weight) == (
        1,
    ) * 3
    assert (settings.regress_pseudo, settings.freeze_teacher) == (True, True)
    assert (settings.ramp(0), settings.empty_batch) == (1.0, 'skip')
    assert settings.ignore_pseudo_thr is None


def test_a_weight_of_a_term_that_is_not_mixed_is_warned_of(monkeypatch):
    said = []
    monkeypatch.setattr(semi_checks, 'print_log', lambda text, **_: said.append(text))
    half = dict(semi_train_cfg=dict(cross_weight=0.5))
    build(mixers=dict(sup=semi.mixer(), cross=semi.mixer()), **half)
    build(mixers=dict(sup=semi.mixer()))
    build(**half)
    assert said == []
    build(mixers=dict(sup=semi.mixer()), **half)
    (text,) = said
    assert text.startswith(
        'semi_train_cfg.cross_weight=0.5 has no effect without mixers.cross'
    )


def test_who_predicts():
    """mmdet takes whatever is not the teacher for the student, without a word."""
    assert build().semi_test_cfg == dict(predict_on='teacher')
    given = dict(predict_on='student', forward_on='teacher')
    assert build(semi_test_cfg=given).semi_test_cfg == given
    with pytest.raises(ValueError, match="predict_on must be one of.*got 'techer'"):
        build(semi_test_cfg=dict(predict_on='techer'))
    with pytest.raises(ValueError, match=r"unknown settings \['on'\].*'predict_on'"):
        build(semi_test_cfg=dict(on='student'))


def test_a_preprocessor_without_branches_is_refused():
    cfg = semi.config(semi.detector('SSD'))
    message = r"MultiBranchDataPreprocessor', data_preprocessor=dict\(type='DetData"
    with pytest.raises(ValueError, match=message):
        MODELS.build({**cfg, 'data_preprocessor': PHOTO})


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(unsup_wieght=1.0), ValueError, 'unsup_wieght.*expected.*unsup_weight'),
        (dict(unsup_weight=-1.0), ValueError, 'unsup_weight must not be neg.*-1.0'),
        (dict(cross_weight=float('nan')), ValueError, 'cross_weight.*nan'),
        (dict(sup_weight='1'), TypeError, "sup_weight must be a number, got '1'"),
        (dict(cls_pseudo_thr=1.1), ValueError, 'cls_pseudo_thr.*1.1'),
        (dict(ignore_pseudo_thr=-0.1), ValueError, 'ignore_pseudo_thr.*-0.1'),
        (
            dict(ignore_pseudo_thr=0.9, cls_pseudo_thr=0.9),
            ValueError,
            'ignore_pseudo_thr=0.9 must be below cls_pseudo_thr=0.9',
        ),
        (dict(regress_pseudo=0), TypeError, 'regress_pseudo must be True or False'),
        (dict(ramp_up=-5), ValueError, 'ramp_up must not be negative, got -5'),
        (dict(ramp_up=0.5), TypeError, 'ramp_up must be an integer'),
        (
            dict(teacher_batch_size=0),
            ValueError,
            'teacher_batch_size must be at',
        ),
        (dict(empty_batch='drop'), ValueError, "empty_batch.*'skip'.*'drop'"),
        (dict(min_pseudo_bbox_wh=4), TypeError, 'min_pseudo_bbox_wh.*got 4'),
        (dict(min_pseudo_bbox_wh=(4, -1)), ValueError, 'min_pseudo_bbox_wh.*-1'),
    ],
)
def test_settings_it_refuses(settings, error, message):
    with pytest.raises(error, match=message):
        build(semi_train_cfg=settings)


def test_boxes_to_ignore_need_an_assigner_that_heeds_them():
    settings = dict(semi_train_cfg=dict(ignore_pseudo_thr=0.2))
    with pytest.raises(ValueError, match='no effect.*ignore_iof_thr=0.5'):
        build('FasterRCNN', **settings)
    for name in ('SSD', 'YOLOv3'):
        assert build(name, **settings).settings.ignore_pseudo_thr == 0.2


@pytest.mark.parametrize(
    ('mixers', 'error', 'message'),
    [
        (dict(both=semi.mixer()), ValueError, "unknown terms \\['both'\\].*'cross'"),
        (dict(sup=PHOTO), TypeError, 'mixers.sup.*MixBatch.*got DetDataPreprocessor'),
        (dict(cross=semi.mixer(pairing='roll')), ValueError, "cross.*pairing='roll'"),
    ],
)
def test_mixers_it_refuses(mixers, error, message):
    with pytest.raises(error, match=message):
        build(mixers=mixers)


def test_mixers_are_found_by_hooks():
    drawn = semi.mixer(0.5, pairing='roll')
    model = build(mixers=dict(sup=None, unsup=drawn, cross=semi.mixer(0.1)))
    assert list(model.mixers) == ['unsup', 'cross']
    assert find_batch_mixers(model) == list(model.mixers.values())


def test_batch_augments_are_refused():
    inner = dict(PHOTO, batch_augments=[semi.mixer()])
    with pytest.raises(ValueError, match='^data_preprocessor has batch_aug.*mixers='):
        build(data_preprocessor=inner)
    cfg = semi.detector('SSD')
    cfg.data_preprocessor.batch_augments = [semi.mixer()]
    with pytest.raises(ValueError, match='^detector.data_preprocessor has batch_aug'):
        MODELS.build(semi.config(cfg, data_preprocessor=PHOTO))


def test_masks_are_refused():
    with pytest.raises(ValueError, match='no pseudo-masks, and MaskRCNN'):
        build('MaskRCNN')


def stock_box_head():
    cfg = semi.detector('FasterRCNN')
    cfg.roi_head.bbox_head.type = 'Shared2FCBBoxHead'
    return cfg


def union_detector():
    return semi.detector('RetinaNet', 'Union')


@pytest.mark.parametrize(
    'make', [lambda: semi.detector('RetinaNet'), stock_box_head, union_detector]
)
def test_cross_images_need_losses_that_tell_boxes_apart(make):
    settings = dict(semi_train_cfg=dict(regress_pseudo=False))
    cross = dict(mixers=dict(cross=semi.mixer()))
    with pytest.raises(ValueError, match='mixers.cross.*regress_pseudo=True'):
        MODELS.build(semi.config(make(), **settings, **cross))
    # each of the two alone is fine
    MODELS.build(semi.config(make(), **settings))
    MODELS.build(semi.config(make(), **cross))


def test_the_config_of_the_detector_is_not_written_to():
    """DETR's head changes its own; building a second one from it would fail."""
    cfg = semi.detector('DETR')
    before = copy.deepcopy(cfg)
    model = MODELS.build(semi.config(cfg))
    assert cfg == before
    heads = model.student.bbox_head, model.teacher.bbox_head
    assert heads[0].bg_cls_weight == heads[1].bg_cls_weight == 0.1


def test_state_dict_is_that_of_two_detectors():
    plain = MODELS.build(semi.detector('SSD'))
    model = build(mixers=dict(sup=semi.mixer()))
    keys = [
        f'{role}.{key}' for role in ('student', 'teacher') for key in plain.state_dict()
    ]
    assert sorted(model.state_dict()) == sorted(keys)
    missing, unexpected = model.load_state_dict(plain.state_dict())
    assert not missing
    assert not unexpected
    for role in (model.student, model.teacher):
        for key, value in role.state_dict().items():
            assert torch.equal(value, plain.state_dict()[key])
