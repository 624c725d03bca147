"""What pseudo-boxes teach of box regression."""

from __future__ import annotations

import pytest
import torch

from mmmix.structures import REGRESSION_WEIGHTS
from tests.helpers import is_regression
from tests.models.teachers import semi

from .terms import (
    LABELLED,
    gradients,
    losses_of,
    views,
)


@pytest.mark.parametrize('name', [*semi.DETECTORS, semi.STOCK])
@pytest.mark.parametrize('regress', [True, False])
def test_unlabelled_images_teach_regression_or_do_not(name, regress):
    model = semi.configure(name, regress_pseudo=regress)
    torch.manual_seed(0)
    losses, _ = losses_of(model)
    for term, expected in (('sup', True), ('unsup', regress)):
        found = gradients(model, semi.named(losses, term), name)
        assert any(bool(gradient.any()) for gradient in found) == expected
    for loss, value in semi.named(losses, 'unsup').items():
        if 'loss' in loss:
            assert bool(value.any()) == (regress or not is_regression(loss))


@pytest.mark.parametrize(
    ('name', 'supervision'),
    [('SSD', 'LossMix'), ('YOLOv3', 'LossMix'), ('RetinaNet', 'LossMix')],
)
def test_in_cross_images_only_labelled_boxes_teach_regression(name, supervision):
    """λ L(labelled boxes) of the mixed images; classification is not touched."""
    mixers = dict(cross=semi.mixer(0.4, lam_per='batch'))
    full, inputs = losses_of(semi.configure(name, supervision, mixers))
    model = semi.configure(name, supervision, mixers, regress_pseudo=False)
    losses, _ = losses_of(model)
    images = 0.4 * inputs['sup'] + 0.6 * inputs['unsup_student']
    labelled = semi.flat(model.student.loss(images, views(LABELLED)))
    for loss, value in semi.named(losses, 'cross').items():
        expected = 0.4 * labelled[loss]
        if not is_regression(loss):
            expected = semi.named(full, 'cross')[loss]
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6)
        if is_regression(loss):
            assert (semi.named(full, 'cross')[loss] > value + 1e-3).any()


@pytest.mark.parametrize(
    ('name', 'supervision'),
    [('SSD', 'Union'), ('SSD', 'BoxMix'), ('YOLOv3', 'WeightedUnion')]
    + [('FasterRCNN', kind) for kind in ('LossMix', 'BoxMix')],
)
def test_without_labelled_boxes_cross_images_teach_no_regression(name, supervision):
    """Whichever component dominates."""
    nothing = (semi.objects(0, 0), semi.objects(0, 0))
    mixers = dict(cross=semi.mixer(0.4))
    for regress in (False, True):
        model = semi.configure(name, supervision, mixers, regress_pseudo=regress)
        torch.manual_seed(0)
        losses, _ = losses_of(model, nothing)
        found = gradients(model, semi.named(losses, 'cross'), name)
        assert any(bool(gradient.any()) for gradient in found) == regress


def test_what_the_student_gets():
    """Pseudo-boxes weigh 0 in box regression and labelled ones 1; no scores."""
    cfg = semi.mixer(0.5)
    model = semi.configure('SSD', 'LossMix', dict(cross=cfg), regress_pseudo=False)
    seen = []
    stock = model.student.loss

    def loss(inputs, samples):
        seen.append([sample.gt_instances for sample in samples])
        return stock(inputs, samples)

    model.student.loss = loss
    try:
        losses_of(model)
    finally:
        del model.student.loss
    sup, unsup, cross = seen
    assert all(REGRESSION_WEIGHTS not in instances for instances in sup)
    assert [i[REGRESSION_WEIGHTS].tolist() for i in unsup] == [[0, 0], [0]]
    assert [i[REGRESSION_WEIGHTS].tolist() for i in cross] == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
    ]
    assert [i.mix_ids.tolist() for i in cross] == [[0, 0, 1, 1], [0, 0, 0, 1]]
    assert not any('scores' in instances for term in seen for instances in term)
