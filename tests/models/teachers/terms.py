"""Batches of the terms of a teacher, what it sees in them, and gradients."""

from __future__ import annotations

import torch
from mmengine.structures import InstanceData

from tests.models.teachers import semi

# Detectors whose loss does not depend on chance.
FIXED = ('SSD', 'YOLOv3', 'RetinaNet')
TEACHER_SEES = (
    semi.scored(semi.objects(3, 20), (0.9, 0.5, 0.85)),
    semi.scored(semi.objects(2, 21), (0.95, 0.1)),
)
# what is left of it
PSEUDO = tuple(
    InstanceData(
        bboxes=seen.bboxes[seen.scores > 0.8], labels=seen.labels[seen.scores > 0.8]
    )
    for seen in TEACHER_SEES
)
# whose scores are too low
NOTHING = tuple(semi.scored(semi.objects(2, i), (0.8, 0.1)) for i in range(2))
LABELLED = (semi.objects(2, 10), semi.objects(3, 11))


def views(instances, names='u'):
    return [semi.sample(one, name=f'{names}{i}') for i, one in enumerate(instances)]


def losses_of(model, labelled=LABELLED, sees=TEACHER_SEES):
    """The losses of a batch, and its student's images."""
    semi.script(model, *sees)
    inputs, samples = semi.batch(labelled, len(sees))
    return model.loss(inputs, samples), inputs


def regression_parameters(model, name):
    """Weights that only box coordinates depend on, as (parameter, rows)."""
    head = model.student.bbox_head if name != 'FasterRCNN' else None
    if name == 'SSD':
        return [(conv[-1].weight, slice(None)) for conv in head.reg_convs]
    if name == 'YOLOv3':
        rows = [9 * 0 + 15 * a + k for a in range(3) for k in range(4)]
        return [(conv.weight, rows) for conv in head.convs_pred]
    if name == 'RetinaNet':
        return [(head.retina_reg.weight, slice(None))]
    student = model.student
    layers = (student.rpn_head.rpn_reg, student.roi_head.bbox_head.fc_reg)
    return [(layer.weight, slice(None)) for layer in layers]


def gradients(model, losses, name):
    """Gradients of the regression weights for the sum of some losses."""
    total = sum(value.sum() for name, value in losses.items() if 'loss' in name)
    weights = regression_parameters(model, name)
    found = torch.autograd.grad(
        total, [weight for weight, _ in weights], retain_graph=True
    )
    return [gradient[rows] for gradient, (_, rows) in zip(found, weights)]
