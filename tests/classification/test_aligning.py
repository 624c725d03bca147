"""AlignMixup's plan, maps and logits, against a slow account of the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmmix.classification.aligning import PUBLISHED, mix_aligned
from mmmix.functional.sinkhorn import transport_plan

from .slow_alignmixup import align

PARTNERS = [2, 0, 1, 3]


def maps(scale: float, seed: int = 0) -> torch.Tensor:
    """Four maps of six channels on 3 x 4 cells, not below 0, as after a ReLU."""
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(4, 6, 3, 4, generator=generator).relu()


# Costs of about 0.1 and 1 stop by themselves; of about 6 they take all iterations.
@pytest.mark.parametrize('scale', [0.1, 0.3, 0.8])
@pytest.mark.parametrize('keep_own', [True, False])
@pytest.mark.parametrize('lam', [0.3, 1.0])
def test_plan_maps_and_logits_are_those_of_the_published_code(scale, keep_own, lam):
    features = maps(scale)
    slow = align(features.flatten(2).double().numpy(), PARTNERS, lam, keep_own)
    partners = torch.tensor(PARTNERS)
    flat = features.flatten(2)
    plan = transport_plan(flat, flat[partners], **PUBLISHED)
    np.testing.assert_allclose(plan, slow.plans, atol=1e-5)
    mixed = mix_aligned(features, partners, lam, keep_own, **PUBLISHED)
    np.testing.assert_allclose(mixed.flatten(2), slow.mixed, atol=1e-5)
    aligned = mix_aligned(
        features, partners, 0.0 if keep_own else 1.0, keep_own, **PUBLISHED
    )
    np.testing.assert_allclose(aligned.flatten(2), slow.carried, atol=1e-5)
    weight = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    logits = mixed.mean(dim=(2, 3)) @ weight.T
    np.testing.assert_allclose(
        logits, slow.mixed.mean(axis=2) @ weight.double().numpy().T, atol=1e-5
    )


def test_the_published_plan_is_not_closed_and_ours_is():
    features = maps(0.3).flatten(2)
    others = features[torch.tensor(PARTNERS)]
    published = transport_plan(features, others, **PUBLISHED)
    torch.testing.assert_close(published.sum(dim=1), torch.ones(4, 12))
    assert (published.sum(dim=2) - 1).abs().max() > 1e-3
    closed = transport_plan(features, others, **{**PUBLISHED, 'close_rows': True})
    torch.testing.assert_close(closed.sum(dim=2), torch.ones(4, 12))
    torch.testing.assert_close(
        closed, published / published.sum(dim=2, keepdim=True), atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize('keep_own', [True, False])
def test_a_closed_plan_carries_convex_combinations_to_the_cells_that_are_kept(keep_own):
    features, partners = maps(0.8), torch.tensor(PARTNERS)
    plan = {**PUBLISHED, 'close_rows': True}
    lam = 0.0 if keep_own else 1.0
    aligned = mix_aligned(features, partners, lam, keep_own, **plan).flatten(2)
    source = (features[partners] if keep_own else features).flatten(2)
    assert (aligned <= source.amax(dim=2, keepdim=True) + 1e-5).all()
    assert (aligned >= source.amin(dim=2, keepdim=True) - 1e-5).all()
    constant = torch.ones_like(features)
    mixed = mix_aligned(constant, partners, 0.4, keep_own, **plan)
    torch.testing.assert_close(mixed, constant)


def test_gradients_reach_both_images_and_not_the_plan():
    features, partners = maps(0.3).requires_grad_(), torch.tensor(PARTNERS)
    mix_aligned(features, partners, 0.3, True, **PUBLISHED).sum().backward()
    plan = transport_plan(
        features.flatten(2), features[partners].flatten(2), **PUBLISHED
    ).detach()
    expected = torch.full((4, 12), 0.3)
    for image, partner in enumerate(PARTNERS):
        expected[partner] += 0.7 * plan[image].sum(dim=0)
    torch.testing.assert_close(
        features.grad.flatten(2), expected[:, None].expand(4, 6, 12)
    )


def test_open_rows_take_all_cells():
    features = maps(0.3).flatten(2)
    valid = (torch.ones(4, 12, dtype=torch.bool),) * 2
    with pytest.raises(ValueError, match='close_rows=False takes all cells'):
        transport_plan(features, features, valid=valid, close_rows=False)
