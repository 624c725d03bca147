"""Assignment of a whole batch against mmdet's, one image after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from mmmix.functional import max_iou
from mmmix.models.batch_assignment import iou_rule
from mmmix.models.ignored_boxes import HeedingAssigner

SETTINGS = {
    'ssd': dict(pos_iou_thr=0.5, neg_iou_thr=0.5, gt_max_assign_all=False),
    'rpn': dict(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3),
    'retina': dict(pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0.0),
    'roi': dict(pos_iou_thr=0.5, neg_iou_thr=0.5, match_low_quality=False),
}
IGNORES = dict(
    never=dict(ignore_iof_thr=-1),
    prior=dict(ignore_iof_thr=0.5),
    box=dict(ignore_iof_thr=0.5, ignore_wrt_candidates=False),
)


def odd_boxes(rng, count, size=64):
    """Boxes on a grid, so that overlaps tie, with lines, points and giants."""
    corners = rng.integers(-1, size // 8, (count, 2)) * 8.0
    sides = rng.choice([0.0, 8.0, 16.0, 24.0, 13.7, 1000.0], (count, 2))
    return torch.tensor(np.hstack([corners, corners + sides]), dtype=torch.float32)


def padded(rows):
    """Boxes of all rows in one tensor."""
    width = max(1, *map(len, rows))
    return torch.stack(
        [torch.cat([row, row.new_zeros(width - len(row), 4)]) for row in rows]
    )


def one_by_one(assigner, priors, rows, ignored, left_out):
    """The same with mmdet, on the priors that are not left out."""
    owners = torch.full(left_out.shape, -1)
    for i, (boxes, ignore) in enumerate(zip(rows, ignored)):
        result = HeedingAssigner(assigner).assign(
            InstanceData(priors=priors[~left_out[i]]),
            InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes)).long()),
            InstanceData(bboxes=ignore),
        )
        owners[i, ~left_out[i]] = result.gt_inds
    return owners


@pytest.mark.parametrize('ignore', IGNORES)
@pytest.mark.parametrize('name', SETTINGS)
@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 6) | st.just(40), min_size=1, max_size=4),
    st.sampled_from([2**24, 700, 1]),
)
def test_it_is_mmdets(name, ignore, seed, counts, cells):
    """Ties, empty rows, degenerate and huge boxes; whatever the chunks are."""
    rng = np.random.default_rng(seed)
    priors = odd_boxes(rng, 90)
    rows = [odd_boxes(rng, count) for count in counts]
    ignored = [odd_boxes(rng, rng.integers(0, 3)) for _ in counts]
    left_out = torch.tensor(rng.random((len(counts), 90)) < 0.2)
    assigner = MaxIoUAssigner(**SETTINGS[name], **IGNORES[ignore])
    rule = iou_rule(assigner)
    out = left_out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(max_iou, 'MAX_CELLS', cells)
        if rule.ignore > 0:
            side = 'prior' if rule.share_of_prior else 'box'
            boxes = padded(ignored)
            out = out | max_iou.exceeds(priors, boxes, rule.ignore, side)
        got = max_iou.assign_max_iou(priors, padded(rows), counts, rule, out)
    want = one_by_one(assigner, priors, rows, ignored, left_out)
    assert torch.equal(got, want)


def test_priors_of_each_row():
    """As with proposals, which every image has others of."""
    rng = np.random.default_rng(0)
    priors = torch.stack([odd_boxes(rng, 50) for _ in range(3)])
    counts = [4, 0, 30]
    rows = [odd_boxes(rng, count) for count in counts]
    rule = iou_rule(MaxIoUAssigner(**SETTINGS['rpn']))
    got = max_iou.assign_max_iou(priors, padded(rows), counts, rule)
    for i, row in enumerate(rows):
        own = max_iou.assign_max_iou(priors[i], padded([row]), counts[i : i + 1], rule)
        assert torch.equal(got[i], own[0])


@pytest.mark.parametrize('share', [None, 'box', 'prior'])
def test_overlaps_are_mmdets_bit_for_bit(share):
    rng = np.random.default_rng(1)
    boxes, priors = odd_boxes(rng, 30), odd_boxes(rng, 70)
    got = max_iou.box_overlaps(boxes[None], priors, share)[0]
    want = {
        None: lambda: bbox_overlaps(boxes, priors),
        'box': lambda: bbox_overlaps(boxes, priors, mode='iof'),
        'prior': lambda: bbox_overlaps(priors, boxes, mode='iof').T,
    }[share]()
    assert torch.equal(got, want)


def test_no_more_cells_are_held_than_stated(monkeypatch):
    """Nor does one row of many boxes make all others as wide."""
    sizes = []
    plain = max_iou.box_overlaps

    def counted(*args):
        result = plain(*args)
        sizes.append(result.numel())
        return result

    monkeypatch.setattr(max_iou, 'box_overlaps', counted)
    monkeypatch.setattr(max_iou, 'MAX_CELLS', 2000)
    rng = np.random.default_rng(2)
    counts = [200, 3, 2, 0]
    rows = padded([odd_boxes(rng, count) for count in counts])
    rule = iou_rule(MaxIoUAssigner(**SETTINGS['ssd']))
    max_iou.assign_max_iou(odd_boxes(rng, 100), rows, counts, rule)
    assert max(sizes) <= 2000
    assert sum(sizes) <= 100 * (200 + 3 * 3)


@pytest.mark.parametrize(
    'setting',
    [
        dict(neg_iou_thr=(0.1, 0.5)),
        dict(neg_iou_thr=0),
        dict(pos_iou_thr=0.0),
        dict(min_pos_iou=-1.0),
        dict(iou_calculator=dict(type='BboxOverlaps2D', dtype='fp16')),
        dict(perm_repeat_gt_cfg=dict(iou_thr=0.9)),
    ],
    ids=str,
)
def test_other_settings_are_left_to_mmdet(setting):
    known = dict(pos_iou_thr=0.5, neg_iou_thr=0.5)
    assert iou_rule(MaxIoUAssigner(**known)) is not None
    assert iou_rule(MaxIoUAssigner(**{**known, **setting})) is None

    class Own(MaxIoUAssigner):
        pass

    assert iou_rule(Own(**known)) is None
