"""The value of every term of MixTeacher's loss, against the student's own loss."""

from __future__ import annotations

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData

from tests.models.teachers import semi

from .terms import (
    FIXED,
    LABELLED,
    PSEUDO,
    TEACHER_SEES,
    losses_of,
    views,
)

# --- without mixers ---------------------------------------------------------


@pytest.mark.parametrize('name', FIXED)
def test_unmixed_terms_are_the_students_losses(name):
    model = semi.configure(name, sup_weight=0.5, unsup_weight=3.0)
    losses, inputs = losses_of(model)
    sup = model.student.loss(inputs['sup'], views(LABELLED, 'l'))
    unsup = model.student.loss(inputs['unsup_student'], views(PSEUDO))
    semi.assert_same(semi.named(losses, 'sup'), sup, 0.5)
    semi.assert_same(semi.named(losses, 'unsup'), unsup, 3.0)
    assert not semi.named(losses, 'cross')
    assert losses['pseudo_count'].item() == 1.5
    torch.testing.assert_close(losses['pseudo_score'], torch.tensor(0.9))


def test_doubtful_boxes_are_neither_objects_nor_background(monkeypatch):
    """The student's loss with these boxes to ignore, mirrored like the objects."""
    model = semi.configure(ignore_pseudo_thr=0.3)
    monkeypatch.setattr(model.student.bbox_head.assigner, 'ignore_iof_thr', 0.5)
    losses, inputs = losses_of(model)
    expected = views(PSEUDO)
    for one, seen in zip(expected, TEACHER_SEES):
        doubt = (seen.scores > 0.3) & (seen.scores <= semi.THRESHOLD)
        one.ignored_instances = seen[doubt]
    assert [len(one.ignored_instances) for one in expected] == [1, 0]
    unsup = model.student.loss(inputs['unsup_student'], expected)
    semi.assert_same(semi.named(losses, 'unsup'), unsup)
    assert losses['pseudo_count'].item() == 1.5
    for one in expected:
        del one.ignored_instances
    other = model.student.loss(inputs['unsup_student'], expected)
    assert semi.flat(other)['loss_cls'].sum() != semi.flat(unsup)['loss_cls'].sum()


def test_annotations_of_unlabelled_images_do_not_matter():
    model = semi.configure()
    expected, _ = losses_of(model)
    inputs, samples = semi.batch(LABELLED, 2)
    for view in ('unsup_teacher', 'unsup_student'):
        for sample in samples[view]:
            sample.gt_instances = semi.objects(3, 30)
            sample.ignored_instances = semi.objects(2, 31)
    semi.script(model, *TEACHER_SEES)
    found = model.loss(inputs, samples)
    semi.assert_same(semi.named(found, 'unsup'), semi.named(expected, 'unsup'))
    assert len(samples['unsup_student'][0].gt_instances) == 3


def test_pseudo_boxes_are_moved_to_the_students_view():
    """The student's view is mirrored."""
    model = semi.configure()
    semi.script(model, *TEACHER_SEES)
    inputs, samples = semi.batch(LABELLED, 2)
    for sample in samples['unsup_student']:
        mirror = [[-1.0, 0.0, semi.SIZE], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        sample.set_metainfo(dict(homography_matrix=torch.tensor(mirror).numpy()))
    found = model.loss(inputs, samples)
    mirrored = []
    for instances in PSEUDO:
        x1, y1, x2, y2 = instances.bboxes.unbind(1)
        boxes = torch.stack([semi.SIZE - x2, y1, semi.SIZE - x1, y2], dim=1)
        mirrored.append(InstanceData(bboxes=boxes, labels=instances.labels))
    expected = model.student.loss(inputs['unsup_student'], views(mirrored))
    semi.assert_same(semi.named(found, 'unsup'), expected)


# --- with mixers ------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'supervision'),
    [
        ('SSD', 'LossMix'),
        ('SSD', 'BoxMix'),
        ('YOLOv3', 'BoxMix'),
        ('RetinaNet', 'LossMix'),
    ],
)
def test_mixed_terms_are_the_students_losses_on_mixed_batches(name, supervision):
    """Mixers of its own do the same by hand; each term has its own draws."""
    cfg = semi.mixer(lam_per='batch')
    terms = dict.fromkeys(('sup', 'unsup', 'cross'), cfg)
    model = semi.configure(name, supervision, terms, cross_weight=0.25)
    losses, inputs = losses_of(model)
    labelled = (inputs['sup'], views(LABELLED, 'l'))
    pseudo = (inputs['unsup_student'], views(PSEUDO))
    mixers = [MODELS.build(cfg) for _ in terms]
    for stream, mixer in enumerate(mixers):
        mixer.counter.stream = stream
    batches = (
        mixers[0](*labelled),
        mixers[1](*pseudo),
        mixers[2].mix_pair(*labelled, *pseudo),
    )
    for term, batch, factor in zip(terms, batches, (1.0, 1.0, 0.25)):
        expected = model.student.loss(*batch)
        semi.assert_same(semi.named(losses, term), expected, factor)
    assert (
        len({sample.mix_weights for _, samples in batches for sample in samples}) == 3
    )


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3'])
def test_cross_at_the_ends_of_lambda(name):
    """λ = 1 is the labelled batch, λ = 0 the unlabelled one."""
    for lam, term in ((1.0, 'sup'), (0.0, 'unsup')):
        model = semi.configure(name, 'LossMix', dict(cross=semi.mixer(lam)))
        losses, _ = losses_of(model)
        expected = semi.named(losses, term)
        semi.assert_same(semi.named(losses, 'cross'), expected)


def test_noise_keeps_the_labelled_image():
    """Component 0 is the labelled one, so ``keep='dominant'`` keeps its boxes."""
    model = semi.configure(mixers=dict(cross=semi.mixer(0.9, keep='dominant')))
    losses, inputs = losses_of(model)
    images = 0.9 * inputs['sup'] + (1 - 0.9) * inputs['unsup_student']
    expected = model.student.loss(images, views(LABELLED))
    semi.assert_same(semi.named(losses, 'cross'), expected)


@pytest.mark.parametrize(('labelled', 'unlabelled'), [(1, 3), (3, 2)])
def test_the_shorter_batch_is_gone_through_again(labelled, unlabelled):
    model = semi.configure(supervision='LossMix', mixers=dict(cross=semi.mixer(0.6)))
    boxes = [semi.objects(2, 40 + i) for i in range(labelled)]
    pseudo = [semi.objects(1, 50 + i) for i in range(unlabelled)]
    losses, inputs = losses_of(model, boxes, [semi.scored(p, [0.9]) for p in pseudo])
    count = max(labelled, unlabelled)
    left = [i % labelled for i in range(count)]
    right = [i % unlabelled for i in range(count)]
    images = 0.6 * inputs['sup'][left] + 0.4 * inputs['unsup_student'][right]
    pairs = [(boxes[i], pseudo[j]) for i, j in zip(left, right)]
    samples = []
    for pair in pairs:
        union = InstanceData.cat(list(pair))
        union.mix_ids = torch.tensor([0] * 2 + [1])
        samples.append(semi.sample(union))
        samples[-1].set_metainfo(dict(mix_weights=(0.6, 0.4)))
    expected = model.student.loss(images, samples)
    semi.assert_same(semi.named(losses, 'cross'), expected)


def test_batches_of_different_canvases_are_crossed():
    """A labelled image of 96 x 96 in the middle of an unlabelled one of 128 x 160."""
    model = semi.configure(supervision='LossMix', mixers=dict(cross=semi.mixer(1.0)))
    size = (128, 160)
    semi.script(model, semi.scored(semi.objects(1, 0, size), [0.9]))
    inputs, samples = semi.batch(LABELLED[:1], 1, size)
    losses = model.loss(inputs, samples)
    image = torch.zeros(1, 3, *size)
    image[:, :, 16:112, 32:128] = inputs['sup']
    moved = LABELLED[0].new()
    moved.bboxes = moved.bboxes + torch.tensor([32.0, 16.0, 32.0, 16.0])
    expected = model.student.loss(image, [semi.sample(moved, size=size)])
    semi.assert_same(semi.named(losses, 'cross'), expected)


def test_mixers_that_are_switched_off():
    cfg = semi.mixer(0.3)
    model = semi.configure('SSD', 'LossMix', dict(sup=cfg, unsup=cfg, cross=cfg))
    for mixer in model.mixers.values():
        mixer.enabled = False
    losses, _ = losses_of(model)
    expected, _ = losses_of(semi.configure('SSD'))
    assert losses.keys() == expected.keys()
    for term in ('sup', 'unsup'):
        semi.assert_same(semi.named(losses, term), semi.named(expected, term))


def test_labelled_samples_with_other_fields_are_crossed():
    model = semi.configure(supervision='LossMix', mixers=dict(cross=semi.mixer(0.7)))
    expected, _ = losses_of(model)
    semi.script(model, *TEACHER_SEES)
    inputs, samples = semi.batch(LABELLED, 2)
    for sample in samples['sup']:
        sample.gt_instances = sample.gt_instances.new()
        sample.gt_instances.areas = torch.ones(len(sample.gt_instances))
        del sample.ignored_instances
    model.mixers['cross'].counter._calls = 0
    found = model.loss(inputs, samples)
    semi.assert_same(semi.named(found, 'cross'), semi.named(expected, 'cross'))
