"""Boxes to ignore stay with their component, also with one without objects."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.models import batch_assignment
from mmmix.models.dense_heads import mix_anchor_head, sampled_anchors
from mmmix.models.roi_heads import mix_standard_roi_head
from tests.helpers import mixed, with_supervision

from .case import approximates, close, ignoring, weighted
from .cases import options

ASKING = (batch_assignment, mix_anchor_head, sampled_anchors, mix_standard_roi_head)
"""Where a head asks whether it knows the assigner."""


@pytest.mark.parametrize(('case', 'settings'), options('ignoring'))
def test_boxes_to_ignore_stay_with_their_component(case, settings):
    """What one component ignores keeps the other component's term."""
    stock, mix = case.build(**settings)
    box = (0.0, 0.0, case.size / 2, float(case.size))
    preds, (a, b) = case.predictions(), case.sides()
    parts = [case.totals(stock, preds, side) for side in (ignoring(a, box), b)]
    without = case.totals(stock, preds, a)
    assert all(parts[0][name] != without[name] for name in case.cls)

    def loss_at(lam, kind):
        batch = ignoring(mixed(a, b, [lam] * 3), box, 0)
        return case.totals(with_supervision(mix, type=kind), preds, batch)

    close(loss_at(0.3, 'LossMix'), weighted(parts, (0.3, 0.7)), rtol=1e-5, atol=0)
    for lam in (0.0, 1.0):
        close(loss_at(lam, 'BoxMix'), parts[0 if lam else 1], atol=1e-6, rtol=1e-6)


@pytest.fixture(params=[pytest.param(p.values, id=p.id) for p in options('ignoring')])
def emptied(request):
    """A case, its heads, predictions, objects, none, and what the latter ignores.

    mmdet drops boxes to ignore where an image has no object; a component of a mixed
    image often has none.
    """
    case, settings = request.param
    full, empty = case.sides()[0], case.batch((0, 0, 0), seed=1)
    box = tuple(share * case.size for share in (0.03, 0.02, 0.62, 0.97))
    return case, case.build(**settings), case.predictions(), full, empty, box


def reference(case, head, preds, sides, lams, box, **rule):
    """The case's, for a head that may not add boxes."""
    added = getattr(getattr(head, 'bbox_sampler', None), 'add_gt_as_proposals', True)
    settings = {} if added else case.references['no_boxes']
    return case.reference(head, preds, sides, lams, box, **settings, **rule)


@pytest.fixture
def alone(emptied):
    """Losses of the images without objects, by the reference: BoxMix at λ = 0."""
    case, (_, mix), preds, full, empty, box = emptied
    return reference(case, mix, preds, (full, empty), [0.0] * 3, box)


def test_an_image_without_objects_heeds_them(emptied, alone):
    case, (stock, mix), preds, _, empty, box = emptied
    got = case.totals(mix, preds, ignoring(empty, box))
    approximates(got, alone, case.rtol)
    if case.name != 'ssd':  # which mines no negatives where there is no positive
        assert all(got[n] != case.totals(stock, preds, empty)[n] for n in case.cls)


def test_lossmix_heeds_them_in_a_component_without_objects(emptied, alone):
    case, (stock, mix), preds, full, empty, box = emptied
    head = with_supervision(mix, type='LossMix')
    for component, sides in enumerate(((empty, full), (full, empty))):
        lam = (0.7, 0.3)[component]
        batch = ignoring(mixed(*sides, [lam] * 3), box, component)
        want = weighted((alone, case.totals(stock, preds, full)), (0.7, 0.3))
        approximates(case.totals(head, preds, batch), want, case.rtol)


def test_boxmix_heeds_them_in_a_component_without_objects(emptied):
    case, (_, mix), preds, full, empty, box = emptied
    sides, lams = (full, empty), (0.8, 0.3, 0.6)
    for rule in case.rules:
        head = case.boxmix(mix, rule)
        own = dict(rule=rule) if len(case.rules) > 1 else {}
        got = case.totals(head, preds, ignoring(mixed(*sides, lams), box, 1))
        want = reference(case, mix, preds, sides, lams, box, **own)
        approximates(got, want, case.rtol)
        without = case.totals(head, preds, mixed(*sides, lams))
        assert all(got[name] != without[name] for name in case.cls)


@pytest.mark.parametrize('at_once', [True, False])
@pytest.mark.parametrize('kind', ['Union', 'LossMix', 'BoxMix'])
@pytest.mark.parametrize(('case', 'settings'), options('ignoring'))
def test_instances_without_boxes_are_none(case, settings, kind, at_once, monkeypatch):
    """As a mixer makes them of two images whose ``ignored_instances`` are bare.

    All images at once, or one by one with the assigner itself.
    """
    for module in () if at_once else ASKING:
        monkeypatch.setattr(module, 'iou_rule', lambda assigner: None)
    _, mix = case.build(**settings)
    preds, (a, b) = case.predictions(), case.sides()
    box = (0.0, 0.0, case.size / 2, float(case.size))
    batch = ignoring(mixed(a, b, [0.3] * 3), box, 0)
    bare = InstanceData(mix_ids=torch.zeros(0, dtype=torch.int64))
    got, want, without = (
        case.totals(
            with_supervision(mix, type=kind),
            preds,
            batch._replace(ignored=[none, *batch.ignored[1:]]),
        )
        for none in (bare, None, batch.ignored[0])
    )
    close(got, want, rtol=0, atol=0)
    assert any(got[name] != without[name] for name in case.cls)
