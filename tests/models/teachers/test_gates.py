"""What labelled images teach does not hang on what the teacher finds in others."""

from __future__ import annotations

import pytest
import torch

from mmmix.models.teachers import TeacherProgress
from tests.models.teachers import domain, semi

from .terms import (
    LABELLED,
    NOTHING,
    PSEUDO,
    TEACHER_SEES,
    losses_of,
    views,
)

ADAPTATION = TeacherProgress(iteration=7, burn_in=3)

# --- cross images -----------------------------------------------------------


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3', 'FasterRCNN', 'RetinaNet'])
@pytest.mark.parametrize('sees', [TEACHER_SEES, NOTHING], ids=['boxes', 'nothing'])
def test_cross_images_always_teach_the_labels_of_the_labelled_ones(name, sees):
    """λ L(labelled) + (1 - λ) L(pseudo), also where there are no pseudo-labels."""
    model = semi.configure(
        name, 'LossMix', dict(cross=semi.mixer(0.4, lam_per='batch'))
    )
    torch.manual_seed(0)
    losses, inputs = losses_of(model, sees=sees)
    cross = semi.named(losses, 'cross')
    assert cross['loss_cls' if 'loss_cls' in cross else 'loss_conf'].sum() > 0
    if name == 'FasterRCNN':  # whose samples are drawn
        assert cross['loss_bbox'].sum() > 0
        return
    images = 0.4 * inputs['sup'] + 0.6 * inputs['unsup_student']
    pseudo = PSEUDO if sees is TEACHER_SEES else [semi.objects(0, 0)] * 2
    whole = semi.flat(model.student.loss(images, views(LABELLED)))
    other = semi.flat(model.student.loss(images, views(pseudo)))
    for loss, value in cross.items():
        if 'loss' in loss:
            expected = 0.4 * whole[loss] + 0.6 * other[loss]
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6)


def test_cross_images_with_the_labels_of_one_are_neither_skipped_nor_ramped():
    """``keep='dominant'`` with λ > ½ has no pseudo-labels, whatever there are."""
    mixers = dict(cross=semi.mixer(0.9, keep='dominant'))
    for sees in (TEACHER_SEES, NOTHING):
        model = semi.configure(mixers=mixers, ramp_up=8, cross_weight=3.0)
        model.set_progress(TeacherProgress(0, burn_in=0))
        losses, inputs = losses_of(model, sees=sees)
        images = 0.9 * inputs['sup'] + (1 - 0.9) * inputs['unsup_student']
        expected = model.student.loss(images, views(LABELLED))
        semi.assert_same(semi.named(losses, 'cross'), expected, 3.0)


def test_names_and_passes_do_not_depend_on_what_the_teacher_finds():
    found = []
    for sees in (TEACHER_SEES, NOTHING, (NOTHING[0], TEACHER_SEES[1])):
        mixers = dict.fromkeys(('sup', 'unsup', 'cross'), semi.mixer(0.4))
        model = semi.configure('FasterRCNN', 'LossMix', mixers)
        calls = []
        handle = model.student.backbone.register_forward_hook(
            lambda *args, calls=calls: calls.append(len(args[1][0]))
        )
        try:
            losses, _ = losses_of(model, sees=sees)
        finally:
            handle.remove()
        found.append((list(losses), calls))
    assert found[0] == found[1] == found[2]


# --- domain adaptation ------------------------------------------------------


def student_gradient(model, losses):
    """Gradient of all of the student's weights for some losses."""
    total = sum(value.sum() for name, value in losses.items() if 'loss' in name)
    weights = [p for p in model.student.parameters() if p.requires_grad]
    found = torch.autograd.grad(total, weights, retain_graph=True, allow_unused=True)
    return torch.cat(
        [
            (w if g is None else g).reshape(-1)
            for w, g in zip(map(torch.zeros_like, weights), found)
        ]
    )


@pytest.mark.parametrize('name', ['SSD', 'YOLOv3', 'RetinaNet'])
@pytest.mark.parametrize('sees', [domain.SEEN, NOTHING], ids=['boxes', 'nothing'])
def test_what_the_source_teaches_in_mst_does_not_depend_on_pseudo_boxes(
    name, sees, monkeypatch
):
    """The gradient, less what the target alone teaches, is λ times the source's."""
    monkeypatch.setattr(domain, 'SEEN', sees)
    mixers = dict(mst=semi.mixer(0.4, lam_per='batch'))
    model = domain.configure(name, 'LossMix', mixers, ADAPTATION, regress_pseudo=True)
    losses, inputs = domain.losses_of(model)
    pseudo = domain.PSEUDO if sees is not NOTHING else [semi.objects(0, 0)] * 2
    # The pixels to their last bit: YOLOv3's gradient jumps where an activation that is
    # all but 0 changes its sign.
    batches = (inputs['sup'], views(domain.SOURCE), inputs['unsup_student'])
    mixer = domain.mixer_of('mst', mixers['mst'])
    images, _ = mixer.mix_pair(*batches, views(pseudo))
    blend = 0.4 * inputs['sup'] + 0.6 * inputs['unsup_student']
    torch.testing.assert_close(images, blend)
    source, target = (
        student_gradient(model, semi.flat(model.student.loss(images, views(labels))))
        for labels in (domain.SOURCE, pseudo)
    )
    found = student_gradient(model, semi.named(losses, 'mst')) - 0.6 * target
    assert source.abs().max() > 1e-3
    close = dict(rtol=1e-3, atol=1e-3 * source.abs().max().item())
    torch.testing.assert_close(found, 0.4 * source, **close)
    taught = semi.named(losses, 'mtt')['loss_bbox' if name != 'YOLOv3' else 'loss_xy']
    assert bool(taught.any()) == (sees is not NOTHING)


def test_noise_in_the_place_of_mst_does_not_depend_on_pseudo_boxes(monkeypatch):
    """Nothing of it comes from the teacher, so nothing of it is skipped or ramped."""
    found = []
    for sees in (domain.SEEN, NOTHING):
        monkeypatch.setattr(domain, 'SEEN', sees)
        mixers = dict(mst=domain.NOISE)
        model = domain.configure('SSD', None, mixers, ADAPTATION, ramp_up=1000)
        losses, _ = domain.losses_of(model)
        found.append(student_gradient(model, semi.named(losses, 'mst')))
    assert found[0].abs().max() > 1e-3
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-7)
