"""Soft cross-entropy is linear in its target (identity 9)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mmmix.functional import boxmix_cls_losses


@given(st.floats(0, 1), st.integers(0, 10**6), st.integers(1, 40))
def test_soft_ce_is_two_hard_ones(lam, seed, anchors):
    generator = torch.Generator().manual_seed(seed)
    log_probs = torch.randn((anchors, 6), generator=generator).double().log_softmax(-1)
    labels = torch.randint(6, (2, anchors), generator=generator)
    soft = lam * F.one_hot(labels[0], 6) + (1 - lam) * F.one_hot(labels[1], 6)
    want = -(soft * log_probs).sum(-1)
    parts = [F.nll_loss(log_probs, label, reduction='none') for label in labels]
    got = lam * parts[0] + (1 - lam) * parts[1]
    torch.testing.assert_close(got, want, rtol=1e-6, atol=1e-12)
    ones = torch.ones(2, 1, anchors)
    weights = torch.tensor([[lam], [1 - lam]], dtype=torch.float64)
    for positives in ('any', 'factored'):
        everything = boxmix_cls_losses(
            log_probs[None], labels[:, None], ones, weights, 1e6, positives, [0]
        )
        # With every negative kept, the sum runs over all anchors, unless there
        # is no positive at all and hence no negative either.
        if everything.num_pos > 0.01:
            torch.testing.assert_close(
                everything.loss[0], want.sum(), rtol=1e-6, atol=0
            )


@given(st.integers(0, 10**6), st.sampled_from(['dominant', 'any', 'factored']))
def test_left_out_anchors_give_no_gradient(seed, positives):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((30, 6), generator=generator).requires_grad_()
    labels = torch.randint(6, (2, 30), generator=generator)
    weights = (torch.rand((2, 30), generator=generator) > 0.5).float()
    result = boxmix_cls_losses(
        logits.log_softmax(-1)[None],
        labels[:, None],
        weights[:, None],
        torch.tensor([[0.6], [0.4]]),
        3,
        positives,
        [0],
    )
    result.loss.backward()
    assert not logits.grad[(weights == 0).all(0)].any()
