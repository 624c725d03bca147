"""Without mixing, a mix-aware head is the stock one."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from tests.helpers import mixed, with_supervision

from .case import identical
from .cases import SUPERVISIONS, options


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=lambda s: s['type'])
@pytest.mark.parametrize(('case', 'settings'), options('unmixed'))
def test_losses_are_stock(case, settings, supervision):
    """Also identity 24, and the random numbers used are the same."""
    stock, mix = case.build(**settings)
    preds, (batch, _) = case.predictions(), case.sides()
    for rule in case.rules if supervision['type'] == 'BoxMix' else ('dominant',):
        head = with_supervision(case.boxmix(mix, rule), **supervision)
        want = case.losses(stock, preds, batch, seed=3)
        following = torch.rand(1)
        identical(case.losses(head, preds, batch, seed=3), want, case.exact)
        assert not case.exact or torch.equal(torch.rand(1), following)


def test_state_dicts_are_stock(heads):
    stock, mix = heads
    assert list(stock.state_dict()) == list(mix.state_dict())
    mix.load_state_dict(stock.state_dict(), strict=True)
    stock.load_state_dict(mix.state_dict(), strict=True)


@pytest.mark.parametrize('supervision', [None, dict(type='Union')], ids=str)
@pytest.mark.parametrize(('case', 'settings'), options('samplers'))
def test_union_is_stock_on_all_boxes(case, settings, supervision):
    """Identity 22: λ does not matter, and None behaves as Union."""
    stock, mix = case.build(**settings)
    if supervision:
        mix = with_supervision(mix, **supervision)
    preds = case.predictions()
    unions = [mixed(*case.sides(), [lam] * 3) for lam in (0.1, 0.9)]
    want = case.losses(stock, preds, unions[0])
    for union in unions:
        identical(case.losses(mix, preds, union), want, case.exact)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize('empty', [1, 3])
def test_labels_of_an_image_without_objects_may_be_floats(case, dtype, empty):
    """As numpy makes them of nothing; the stock heads never look at them."""
    head, preds, batch = case.build()[1], case.predictions(), case.sides()[0]
    losses = []
    for kind in (torch.int64, dtype):
        nothing = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=kind)
        )
        instances = [nothing] * empty + batch.gt_instances[empty:]
        changed = batch._replace(gt_instances=instances)
        losses.append(case.losses(head, preds, changed, seed=3))
    identical(*losses, True)
