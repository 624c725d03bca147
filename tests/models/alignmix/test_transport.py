"""Carrying maps and labels through a plan, cell by cell (identities 35, 36)."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmix.functional import boxmix_cls_losses
from mmmix.models.alignmix.transport import Transport, carry_maps, pool_plans
from mmmix.models.alignmix.transported_losses import transported_cls_losses

from .plans import GRID, carried_by_hand, plans

SEEDS = st.integers(0, 10**6)
RULES = ('dominant', 'any', 'factored')


def source(seed, size, count=2, channels=2):
    generator = torch.Generator().manual_seed(seed + 1)
    return torch.rand((count, channels, *size), generator=generator)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([(3, 4), (6, 8), (5, 7), (9, 6), (10, 15)]))
def test_finer_levels_are_carried_in_blocks(seed, size):
    table, maps = plans(seed), source(seed, size)
    got = carry_maps(table, maps, GRID)
    for plan, image, result in zip(table, maps, got):
        torch.testing.assert_close(result, carried_by_hand(plan, image, GRID))


@settings(deadline=None)
@given(SEEDS, st.sampled_from([(3, 4), (2, 2), (1, 4), (2, 3), (1, 1)]))
def test_coarser_levels_use_the_pooled_plan(seed, size):
    """Averages over the cells of a block, sums over those of the other one."""
    table, maps = plans(seed), source(seed, size)
    got = carry_maps(table, maps, GRID)
    index = np.indices(GRID).reshape(2, -1)
    block = [
        int(y * size[0] // GRID[0] * size[1] + x * size[1] // GRID[1])
        for y, x in index.T
    ]
    for plan, image, result in zip(table, maps, got):
        want = torch.zeros_like(image).flatten(1)
        for i, target in enumerate(block):
            for j, origin in enumerate(block):
                share = plan[i, j] / block.count(target)
                want[:, target] += share * image.flatten(1)[:, origin]
        torch.testing.assert_close(result.flatten(1), want)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([(10, 15), (5, 7), (3, 4), (2, 3), (1, 1)]))
def test_what_is_carried_are_convex_combinations(seed, size):
    maps = source(seed, size)
    got = carry_maps(plans(seed), maps, GRID)
    assert (got <= maps.amax((2, 3), keepdim=True) + 1e-6).all()
    assert (got >= maps.amin((2, 3), keepdim=True) - 1e-6).all()
    constant = torch.full((2, 1, *size), 0.7)
    carried = carry_maps(plans(seed), constant, GRID)
    torch.testing.assert_close(carried, constant, rtol=0, atol=1e-5)
    same = carry_maps(torch.eye(12).expand(2, -1, -1), maps, GRID)
    assert torch.equal(same, maps)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_pooled_plan_is_a_plan(seed):
    pooled = pool_plans(plans(seed), GRID, (2, 3))
    assert (pooled >= 0).all()
    torch.testing.assert_close(pooled.sum(2), torch.ones(2, 6))


def test_a_transport_is_shared_by_copies_and_refuses_other_grids():
    transport = Transport(plans(0)[0], GRID, (8.0, 8.0))
    image = source(0, (6, 8))[0]
    assert copy.deepcopy({'transport': transport})['transport'] is transport
    want = carried_by_hand(transport.plan, image, GRID)
    torch.testing.assert_close(transport.carry(image), want)
    with pytest.raises(ValueError, match=r'\(6, 2\) cells is neither finer nor'):
        transport.carry(image[..., :2])


# --- labels -----------------------------------------------------------------


def anchors(seed, count=30, classes=5):
    """Log-probabilities, and labels and weights of two components."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((count, classes + 1), generator=generator)
    labels = torch.randint(classes + 1, (2, count), generator=generator)
    labels[torch.rand((2, count), generator=generator) < 0.6] = classes
    weights = (torch.rand((2, count), generator=generator) > 0.1).float()
    weights[labels < classes] = 1.0  # only background is ever left out
    return logits.double().log_softmax(-1), labels, weights


def dominant(lam):
    """Eq. 7 of the BoxMix paper."""
    return 0 if lam > 0.5 else 1


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 1), st.sampled_from(RULES))
def test_an_identity_plan_gives_boxmix(seed, lam, rule):
    """Identity 36, for the loss."""
    log_probs, labels, weights = anchors(seed)
    soft = F.one_hot(labels[1], 6).double() * weights[1][:, None]
    shares = torch.tensor([[lam], [1 - lam]], dtype=torch.float64)
    rows = (log_probs[None], labels[:, None], weights[:, None])
    want = boxmix_cls_losses(*rows, shares, 3, rule, [dominant(lam)])
    own = (log_probs[None], labels[:1], weights[:1], soft[None])
    got = transported_cls_losses(*own, shares[0], 3, rule, [dominant(lam)])
    torch.testing.assert_close(got.loss, want.loss)
    torch.testing.assert_close(got.num_pos, want.num_pos, rtol=1e-6, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 1), st.sampled_from(RULES))
def test_soft_labels_by_hand(seed, lam, rule):
    """The soft label written out, sorted and cut by a loop."""
    log_probs, labels, weights = anchors(seed)
    plan = plans(seed, 1, (5, 6))[0].double()
    soft = plan @ (F.one_hot(labels[1], 6).double() * weights[1][:, None])
    assert (soft >= 0).all()
    assert (soft.sum(1) <= 1 + 1e-5).all()
    own = (log_probs[None], labels[:1], weights[:1], soft[None])
    shares = torch.tensor([lam], dtype=torch.float64)
    got = transported_cls_losses(*own, shares, 3, rule, [dominant(lam)])
    p = lam * F.one_hot(labels[0], 6) * weights[0][:, None] + (1 - lam) * soft
    entropy = (-p * log_probs).numpy()
    first = (labels[0] < 5).numpy()
    share = soft[:, :5].sum(1).numpy()
    if rule == 'factored':
        n = lam * first.sum() + (1 - lam) * share.sum()
        hardest = sorted(entropy[:, 5], reverse=True)[: round(3 * n)]
        want = entropy[:, :5].sum() + sum(hardest)
    else:
        is_pos = {
            'any': first | (share > 0.5),
            'dominant': first if lam > 0.5 else share > 0.5,
        }[rule]
        n = is_pos.sum()
        hardest = sorted(entropy[~is_pos].sum(1), reverse=True)[: 3 * n]
        want = entropy[is_pos].sum() + sum(hardest)
    assert got.num_pos.item() == pytest.approx(n)
    assert got.loss.item() == pytest.approx(want)


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize('size', [(3, 4), (5, 7), (9, 6), (2, 3)])
def test_autocast_changes_no_type_and_no_plan(kind, size):
    """Incomplete blocks are padded, and coarser levels pooled, in the maps' type."""
    table, maps = plans(0), source(0, size).to(kind)
    want = carry_maps(table, maps.float(), GRID)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = carry_maps(table, maps, GRID)
        pooled = pool_plans(table, GRID, (2, 2))
    assert got.dtype == kind
    rounding = 4 * torch.finfo(kind).eps
    torch.testing.assert_close(got.float(), want, rtol=rounding, atol=rounding)
    assert torch.equal(pooled, pool_plans(table, GRID, (2, 2)))
    assert (pooled.sum(dim=2) - 1).abs().max() < 1e-5
