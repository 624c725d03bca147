"""RoIs of a whole batch at once against stock mmdet's losses, on odd batches."""

from __future__ import annotations

import copy
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.samplers import RandomSampler
from mmengine.structures import InstanceData
from scipy.stats import chisquare

from mmmix.models.roi_heads.batch_rois import draw_rois
from mmmix.structures import Annotations
from tests.functional.test_max_iou import odd_boxes
from tests.helpers import mixed, with_supervision
from tests.models.conformance.case import close
from tests.models.conformance.roi import ALL, FEW, NO_BOXES, ROI
from tests.models.dense_heads.test_batch_targets import odd_batch

SEEDS = st.integers(0, 10**6)
COUNTS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=3)
SETTINGS = dict(
    plain={},
    ignore=dict(assigner=dict(ignore_iof_thr=0.5)),
    low=dict(assigner=dict(match_low_quality=True, min_pos_iou=0.1)),
    no_boxes=dict(sampler=NO_BOXES, assigner=dict(neg_iou_thr=0.3)),
)
CLOSE = dict(rtol=2e-6, atol=1e-6)


@pytest.fixture(scope='module', params=list(SETTINGS))
def heads(request):
    return ROI.build(**SETTINGS[request.param])


def odd(seed, counts):
    """Predictions with proposals of any number and shape, and two batches."""
    rng = np.random.default_rng(seed)
    *sides, numbers = zip(*counts)
    sides = [odd_batch(rng, side) for side in sides]
    sides[1] = sides[1]._replace(metas=sides[0].metas)
    # A head without any RoI has no class loss to compare.
    proposals = [InstanceData(bboxes=odd_boxes(rng, 4 * n + 1)) for n in numbers]
    return (ROI.predictions(min(len(counts), 3), seed)[0], proposals), sides


@settings(max_examples=20, deadline=None)
@given(SEEDS, COUNTS)
def test_unmixed_losses_are_stock(heads, seed, counts):
    stock, mix = heads
    preds, (batch, _) = odd(seed, counts)
    close(*(ROI.totals(head, preds, batch) for head in (mix, stock)), **CLOSE)


@settings(max_examples=10, deadline=None)
@given(SEEDS, COUNTS)
def test_lossmix_is_the_stock_losses_weighed(heads, seed, counts):
    stock, mix = heads
    preds, sides = odd(seed, counts)
    sides = [side._replace(ignored=[None] * len(counts)) for side in sides]
    union = mixed(*sides, [0.3] * len(counts))
    got = ROI.totals(with_supervision(mix, type='LossMix'), preds, union)
    parts = [ROI.totals(stock, preds, side) for side in sides]
    # A part without any RoI has no class loss.
    want = {n: 0.3 * parts[0].get(n, 0.0) + 0.7 * parts[1].get(n, 0.0) for n in got}
    close(got, want, **CLOSE)


@settings(max_examples=15, deadline=None)
@given(SEEDS, COUNTS, st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), st.booleans())
def test_boxmix_is_that_of_one_image_after_the_other(heads, seed, counts, lam, same):
    """Which the conformance suite compares with a slow reference."""
    head = ROI.boxmix(heads[1])
    slow = copy.copy(head)
    slow.draws_at_once = lambda *args: False
    preds, sides = odd(seed, counts)
    if same:
        sides[1].gt_instances[0] = sides[0].gt_instances[0]
    union = mixed(*sides, [lam] * len(counts))
    union = union._replace(ignored=[None] * len(counts))
    got, want = (ROI.totals(h, preds, union) for h in (head, slow))
    close(got, want, **CLOSE)


@pytest.mark.parametrize('supervision', ['Union', 'LossMix', 'BoxMix'])
@pytest.mark.parametrize('sampler', [FEW, dict(FEW, neg_pos_ub=2)], ids=['few', 'ub'])
def test_as_many_rois_as_mmdets(supervision, sampler):
    """Of each image and kind; in the next call others."""
    stock, mix = ROI.build(sampler=sampler)
    (_, proposals), sides = ROI.predictions(), ROI.sides()
    union = mixed(*sides, [0.7] * 3)
    parts = with_supervision(mix, type=supervision).supervision.parts(union)
    joint = supervision == 'BoxMix'
    seen = [
        draw_rois(mix, proposals, parts, joint, torch.Generator().manual_seed(seed))
        for seed in (0, 1)
    ]
    assert not torch.equal(*(rows.rois[: len(seen[0].rois) // 2] for rows in seen))
    for one in seen:
        images = one.rois[:, 0]
        positive = one.targets.owners > 0
        for i, found in enumerate(proposals):
            if joint:
                mine = (one.drawn[0] > 0) & (images == i)
                negatives = (mine & ~positive.any(dim=0)).sum()
                assert mine.sum() - negatives == 4
                assert negatives == (8 if sampler['neg_pos_ub'] == 2 else 12)
                continue
            for k, part in enumerate(parts):
                assigned = stock.bbox_assigner.assign(
                    InstanceData(priors=found.bboxes), part.gt_instances[i]
                )
                want = stock.bbox_sampler.sample(
                    assigned, InstanceData(priors=found.bboxes), part.gt_instances[i]
                )
                mine = (one.drawn[k] > 0) & (images == i)
                assert (mine & positive[k]).sum() == len(want.pos_inds)
                assert (mine & ~positive[k]).sum() == len(want.neg_inds)


def test_every_set_of_rois_is_as_likely():
    """2 of 4 positives, a box among them, and 3 of 5 negatives in 2,000 images."""
    _, mix = ROI.build(sampler=dict(ALL, num=5, pos_fraction=0.4))
    box = torch.tensor([[8.0, 8.0, 40.0, 40.0]])
    away = torch.tensor([[44.0, 44.0, 60.0, 60.0]])
    near = box + torch.arange(1, 4)[:, None]
    bboxes = torch.cat([near, away + torch.arange(5)[:, None]])
    gt = InstanceData(bboxes=box, labels=torch.tensor([1]))
    batch = Annotations([gt] * 2000, [{}] * 2000, [None] * 2000)
    proposals = [InstanceData(bboxes=bboxes)] * 2000
    drawn = draw_rois(mix, proposals, [batch], False, torch.Generator().manual_seed(3))
    assert torch.equal(drawn.rois[:, 0].long(), torch.arange(2000).repeat_interleave(5))
    candidates = torch.cat([box, bboxes])
    places = (drawn.rois[:, None, 1:] == candidates).all(-1).int().argmax(1)
    rows = [tuple(row) for row in places.view(2000, 5).tolist()]
    for columns, among, size in (
        (slice(2), range(4), 2),
        (slice(2, 5), range(4, 9), 3),
    ):
        subsets = combinations(among, size)
        found = [sum(row[columns] == subset for row in rows) for subset in subsets]
        assert sum(found) == 2000
        assert chisquare(found).pvalue > 1e-3


def test_a_sampler_that_is_not_known_is_asked(monkeypatch):
    """A subclass draws by itself; the log says so once."""
    calls, said = [], []

    class OwnSampler(RandomSampler):
        def sample(self, *args, **kwargs):
            calls.append(args)
            return super().sample(*args, **kwargs)

    monkeypatch.setattr(
        'mmmix.models.batch_assignment.print_log', lambda text, **_: said.append(text)
    )
    stock, mix = ROI.build()
    mix.bbox_sampler = OwnSampler(**{k: v for k, v in ALL.items() if k != 'type'})
    preds, sides = ROI.predictions(), ROI.sides()
    want = ROI.totals(stock, preds, sides[0])
    for name, count in (('Union', 3), ('LossMix', 6), ('BoxMix', 3)):
        calls.clear()
        batch = mixed(*sides, [1.0] * 3) if name != 'Union' else sides[0]
        got = ROI.totals(with_supervision(mix, type=name), preds, batch)
        assert len(calls) == count
        close(got, want, rtol=1e-6, atol=1e-6)
    assert 'OwnSampler' in said[0]
