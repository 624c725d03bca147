"""How much the terms with pseudo-labels count."""

from __future__ import annotations

import math

import pytest
from mmdet.registry import MODELS

from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import semi

from .terms import (
    LABELLED,
    NOTHING,
    PSEUDO,
    TEACHER_SEES,
    losses_of,
    views,
)


def test_ramp_up():
    cfg = semi.mixer(0.5)
    settings = dict(unsup_weight=2.0, cross_weight=3.0, ramp_up=8)
    expected, _ = losses_of(semi.configure('SSD', 'LossMix', dict(cross=cfg)))
    for iteration, ramp in (
        (100, math.exp(-5)),
        (104, math.exp(-1.25)),
        (108, 1.0),
        (900, 1.0),
    ):
        model = semi.configure('SSD', 'LossMix', dict(cross=cfg), **settings)
        model.set_progress(TeacherProgress(iteration, burn_in=100))
        losses, _ = losses_of(model)
        for term, factor in (('sup', 1.0), ('unsup', 2.0 * ramp), ('cross', 3 * ramp)):
            semi.assert_same(
                semi.named(losses, term), semi.named(expected, term), factor
            )


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3', 'FasterRCNN', 'RetinaNet'])
def test_a_batch_without_pseudo_boxes_is_skipped(name):
    """As mmdet does: weight 0, but the losses are there for every process."""
    supervision = None if name == 'RetinaNet' else 'LossMix'
    mixers = dict(cross=semi.mixer(0.5, lam_per='batch')) if supervision else None
    model = semi.configure(name, supervision, mixers)
    losses, _ = losses_of(model, sees=NOTHING)
    assert (losses['pseudo_count'].item(), losses['pseudo_score'].item()) == (0, 0)
    found = semi.named(losses, 'unsup')
    assert found
    assert not any(v.any() for n, v in found.items() if 'loss' in n)
    assert any(value.requires_grad for value in found.values())


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3'])
def test_a_batch_without_pseudo_boxes_can_be_background(name):
    cfg = semi.mixer(0.5)
    model = semi.configure(
        name, 'LossMix', dict(cross=cfg), empty_batch='background', unsup_weight=2.0
    )
    losses, inputs = losses_of(model, sees=NOTHING)
    empty = views([semi.objects(0, 0)] * 2)
    expected = model.student.loss(inputs['unsup_student'], empty)
    semi.assert_same(semi.named(losses, 'unsup'), expected, 2.0)
    batch = (inputs['sup'], views(LABELLED), inputs['unsup_student'], empty)
    expected = model.student.loss(*MODELS.build(cfg).mix_pair(*batch))
    semi.assert_same(semi.named(losses, 'cross'), expected)


def test_one_pseudo_box_makes_the_other_images_background():
    model = semi.configure('YOLOv3')
    losses, inputs = losses_of(model, sees=(NOTHING[0], TEACHER_SEES[1]))
    samples = views([semi.objects(0, 0), PSEUDO[1]])
    expected = model.student.loss(inputs['unsup_student'], samples)
    semi.assert_same(semi.named(losses, 'unsup'), expected)
    assert losses['pseudo_count'].item() == 0.5
