"""How supervisions relate to each other, to λ and to the number format."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import mixed, with_supervision

from .case import close
from .cases import CASES, SUPERVISIONS


@pytest.mark.parametrize(
    ('supervision', 'own', 'other'),
    [
        ('LossMix', 0.7, 0.3),
        ('BoxMix', 0.7, 0.3),
        ('WeightedUnion', 1.0, 1.0),
        ('Union', 1.0, 1.0),
    ],
)
def test_optimum_of_free_logits(case, supervision, own, other):
    """Identity 23: λ moves the target of LossMix and BoxMix, of no other."""
    free = case.free_logits()
    head = with_supervision(free.head, type=supervision)
    batch = mixed(*free.sides, [0.7])
    optimizer = torch.optim.Adam(free.leaves, lr=0.5)
    for _ in range(150 if case.name == 'ssd' else 80):
        optimizer.zero_grad()
        losses = case.totals(head, free.preds, batch)
        sum(losses[name] for name in free.terms).backward()
        optimizer.step()
    for k, want in enumerate((own, other)):
        probs = free.probability(k).detach().numpy()
        assert len(probs)
        np.testing.assert_allclose(probs, want, atol=0.01)
        np.testing.assert_allclose(free.given(k).detach().numpy(), 1.0, atol=0.01)


@pytest.mark.parametrize('lams', [(0.3,) * 3, (0.8,) * 3, (0.9, 0.3, 0.5)], ids=str)
@pytest.mark.parametrize(
    'case', [c for c in CASES if c.one_sample is not None], ids=lambda c: c.name
)
def test_boxmix_classifies_as_lossmix_on_one_sample(case, lams):
    """Identity 25: nothing ignored, added or mined; one shared normaliser."""
    _, mix = case.build(**case.one_sample)
    preds, batch = case.predictions(), mixed(*case.sides(), lams)
    boxmix, lossmix, union = (
        case.totals(with_supervision(mix, type=kind), preds, batch)
        for kind in ('BoxMix', 'LossMix', 'Union')
    )
    for name in case.cls:
        torch.testing.assert_close(boxmix[name], lossmix[name], rtol=1e-6, atol=0)
        assert abs(boxmix[name] - union[name]) > 1e-4
    assert all(abs(boxmix[name] - lossmix[name]) > 1e-3 for name in case.reg)


@pytest.mark.parametrize('supervision', SUPERVISIONS, ids=lambda s: s['type'])
def test_autocast_keeps_the_losses_in_float32(case, sides, supervision):
    torch.manual_seed(0)
    head = with_supervision(case.build()[1], **supervision)
    batch = mixed(*sides, (0.9, 0.3, 0.501))
    preds, full, dtype = case.autocast(head)
    assert dtype == torch.bfloat16
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = case.totals(head, preds, batch)
    want = case.totals(head, full, batch)
    for name in (*case.cls, *case.reg):
        assert got[name].dtype == torch.float32
        assert got[name].requires_grad
    close(got, want, ['acc'], rtol=2e-2, atol=1e-3)
