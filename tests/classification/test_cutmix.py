"""CutMix of labelled images: provenance of every pixel, and the exact share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.models import CutMix
from mmpretrain.registry import BATCH_AUGMENTS

from mmmix.classification import ClsCutMixBatch

COUNT, HEIGHT, WIDTH = 4, 9, 14


def at_iteration(number: int) -> None:
    MessageHub.get_current_instance().update_info('iter', number)


def mixed_at(number: int, **settings):
    """Images of one value each, mixed in an iteration: pixels and labels."""
    at_iteration(number)
    colours = torch.arange(COUNT).float()
    inputs = colours[:, None, None, None].expand(COUNT, 3, HEIGHT, WIDTH).clone()
    mixer = BATCH_AUGMENTS.build(dict(type='ClsCutMixBatch', **settings))
    return mixer(inputs, torch.eye(COUNT))


def test_every_pixel_has_one_source_and_labels_are_the_exact_shares():
    regions = set()
    for number in range(60):
        pixels, scores = mixed_at(number)
        assert (pixels == pixels[:, :1]).all()
        foreign = pixels[:, 0] != torch.arange(COUNT)[:, None, None]
        for image in range(COUNT):
            shares = [(pixels[image, 0] == c).float().mean() for c in range(COUNT)]
            torch.testing.assert_close(scores[image], torch.stack(shares))
            if foreign[image].any():
                rows, columns = (foreign[image].any(dim=d).nonzero() for d in (1, 0))
                box = foreign[image][rows.min() :, columns.min() :]
                assert box[: len(rows), : len(columns)].all()
                regions.add((len(rows), len(columns)))
    # Sides of both parities, which truncated half sides never give.
    assert {height % 2 for height, _ in regions} == {0, 1}
    assert {width % 2 for _, width in regions} == {0, 1}


def test_one_region_and_one_lam_for_the_batch_and_shuffle_pairs_all():
    for number in range(20):
        pixels, scores = mixed_at(number, pairing='shuffle')
        foreign = pixels[:, 0] != torch.arange(COUNT)[:, None, None]
        assert (foreign == foreign[0]).all()
        torch.testing.assert_close(scores.diagonal(), scores[0, 0].expand(COUNT))


def test_permutation_leaves_some_images_with_themselves():
    alone = [
        mixed_at(number)[1].diagonal().eq(1).float().mean() for number in range(60)
    ]
    assert 0.1 < np.mean(alone) < 0.5


def test_regions_are_not_biased_as_those_of_truncated_sides():
    """E[λ] of U(0, 1) after clipping is .679 (by integration); mmpretrain's, above."""
    at_iteration(0)
    mixer = ClsCutMixBatch()
    inputs, scores = torch.zeros(2, 1, 16, 16), torch.eye(2)
    draws = []
    for number in range(3000):
        at_iteration(number)
        mixed = mixer(inputs, scores)[1]
        draws.append(mixed.diagonal().mean().item() if mixed[0, 0] < 1 else 1.0)
    # Half of the permutations of two leave both alone.
    assert np.mean(draws) == pytest.approx((1 + 0.679) / 2, abs=0.012)
    np.random.seed(0)
    theirs = [
        CutMix(1.0).cutmix_bbox_and_lam((16, 16), lam)[1]
        for lam in np.random.rand(3000)
    ]
    assert np.mean(theirs) > 0.7


def test_draws_depend_on_the_iteration_and_the_call_alone():
    first, again, other = (mixed_at(number)[0] for number in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    at_iteration(5)
    mixer = ClsCutMixBatch()
    calls = [mixer(torch.rand(4, 3, 32, 32), torch.eye(4))[1] for _ in range(2)]
    assert not torch.equal(*calls)


def test_what_came_in_is_left_alone_and_bad_labels_are_refused():
    inputs, scores = torch.rand(3, 3, 8, 8), torch.eye(3)
    kept = inputs.clone(), scores.clone()
    ClsCutMixBatch()(inputs, scores)
    assert torch.equal(inputs, kept[0])
    assert torch.equal(scores, kept[1])
    with pytest.raises(ValueError, match=r'scores must be \(N, classes\) for 3'):
        ClsCutMixBatch()(inputs, torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match='pairing'):
        ClsCutMixBatch(pairing='triple')
    with pytest.raises(KeyError, match='ratio'):
        ClsCutMixBatch(ratio=dict(type='Gamma'))
