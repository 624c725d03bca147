"""Visible: positives weighted by the visible share of their box."""

from __future__ import annotations

import pytest
import torch

from mmmix.structures import MIX_VISIBILITY, check_mix_visibility
from tests.helpers import annotations, mixed, predictions, total, with_supervision

COUNTS_A, COUNTS_B = (3, 1), (2, 4)
LAMS = (0.75, 0.25)


def clipped(shares):
    """A batch as CutMixBatch clips it; ``shares`` by image and box."""
    batch = mixed(annotations(COUNTS_A, 1), annotations(COUNTS_B, 2), LAMS)
    for instances, share in zip(batch.gt_instances, shares):
        instances[MIX_VISIBILITY] = share
    return batch


def losses(head, batch, preds, **supervision):
    """Named totals."""
    return total(with_supervision(head, **supervision).loss_by_feat(*preds, *batch))


def test_boxes_that_are_seen_in_full_are_a_union(heads):
    batch = clipped([torch.ones(5), torch.ones(5)])
    preds = predictions(2)
    visible = losses(heads[1], batch, preds, type='Visible')
    union = losses(heads[1], batch, preds, type='Union')
    assert all(torch.equal(visible[name], union[name]) for name in union)


def test_shares_are_weights_as_those_of_a_weighted_union(heads):
    """λ in place of the share of every box makes another, tested supervision."""
    shares = [
        torch.tensor([lam] * a + [1 - lam] * b)
        for lam, a, b in zip(LAMS, COUNTS_A, COUNTS_B)
    ]
    preds = predictions(2)
    visible = losses(heads[1], clipped(shares), preds, type='Visible')
    blended = mixed(annotations(COUNTS_A, 1), annotations(COUNTS_B, 2), LAMS)
    want = losses(heads[1], blended, preds, type='WeightedUnion')
    assert all(torch.equal(visible[name], want[name]) for name in want)


def test_the_loss_is_linear_in_a_share(heads):
    """A box's positives enter in proportion; nothing else depends on its share."""
    preds = predictions(2)
    values = []
    for share in (0.25, 0.5, 1.0):
        shares = [torch.ones(5), torch.ones(5)]
        shares[0][1] = share
        got = losses(heads[1], clipped(shares), preds, type='Visible')
        values.append((got['loss_cls'].item(), got['loss_bbox'].item()))
    for low, middle, high in zip(*values):
        assert middle - low == pytest.approx((high - low) / 3, rel=1e-3)
        assert high > low


def test_an_unmixed_image_of_the_batch_counts_in_full(heads):
    batch = clipped([torch.ones(5), torch.ones(5)])
    plain = annotations(COUNTS_A, 1)
    for part, other in zip(batch, plain):
        part[1] = other[1]
    preds = predictions(2)
    visible = losses(heads[1], batch, preds, type='Visible')
    union = losses(heads[1], batch, preds, type='Union')
    assert all(torch.equal(visible[name], union[name]) for name in union)


@pytest.mark.parametrize(
    ('shares', 'error', 'message'),
    [
        (torch.ones(4), ValueError, r'\(5,\), one entry per box; got \(4,\)'),
        (torch.ones(5, dtype=torch.int64), TypeError, 'floating point.*int64'),
        (torch.full((5,), 1.5), ValueError, r'lie in \[0, 1\], got \[1.5'),
        (torch.full((5,), torch.nan), ValueError, r'lie in \[0, 1\]'),
    ],
)
def test_bad_shares_are_refused_with_the_images_name(heads, shares, error, message):
    batch = clipped([torch.ones(5), torch.ones(5)])
    vars(batch.gt_instances[0])[MIX_VISIBILITY] = shares
    with pytest.raises(error, match=f'0: gt_instances.{MIX_VISIBILITY}.*{message}'):
        losses(heads[1], batch, predictions(2), type='Visible')
    with pytest.raises(error, match=message):
        check_mix_visibility(shares, 5)


def test_missing_shares_name_the_way_out(heads):
    batch = clipped([torch.ones(5), torch.ones(5)])
    del batch.gt_instances[1].mix_visibility
    with pytest.raises(ValueError, match='1: gt_instances has no.*PackMixInputs'):
        losses(heads[1], batch, predictions(2), type='Visible')
