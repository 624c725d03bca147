"""The merged assignment of BoxMix, on cases written out by hand."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import InstanceBalancedPosSampler
from mmengine.structures import InstanceData

from mmmix.models.merged_assignment import (
    merge_assignments,
    regressed_first,
    sample_once,
    seen_by,
)
from mmmix.structures import Annotations, Factors

# Priors 0 to 8: every pair of positive, negative and ignored.
FIRST = AssignResult(
    2,
    torch.tensor([1, 2, 2, 0, 0, 0, -1, -1, -1]),
    torch.tensor([0.9, 0.8, 0.7, 0.2, 0.1, 0.0, 0.4, 0.4, 0.4]),
    torch.tensor([5, 6, 6, -1, -1, -1, -1, -1, -1]),
)
SECOND = AssignResult(
    3,
    torch.tensor([3, 0, -1, 1, 0, -1, 2, 0, -1]),
    torch.tensor([0.6, 0.1, 0.4, 0.7, 0.2, 0.4, 0.8, 0.1, 0.4]),
    torch.tensor([9, -1, -1, 7, -1, -1, 8, -1, -1]),
)
PRIORS = torch.arange(36.0).view(9, 4)
GTS = [
    InstanceData(bboxes=torch.rand(2, 4), labels=torch.tensor([5, 6])),
    InstanceData(bboxes=torch.rand(3, 4), labels=torch.tensor([7, 8, 9])),
]


def test_every_pair_of_states():
    merged = merge_assignments([FIRST, SECOND], [0.6, 0.4])
    # Boxes of the second component follow the two of the first.
    assert merged.gt_inds.tolist() == [1, 2, 2, 3, 0, -1, 4, -1, -1]
    assert merged.labels.tolist() == [5, 6, 6, 7, -1, -1, 8, -1, -1]
    assert merged.num_gts == 5
    overlaps = torch.tensor([0.9, 0.8, 0.7, 0.7, 0.2, 0.4, 0.8, 0.4, 0.4])
    assert torch.equal(merged.max_overlaps, overlaps)


@pytest.mark.parametrize(('weights', 'only'), [((1.0, 0.0), 0), ((0.0, 1.0), 1)])
def test_a_component_of_weight_zero_has_no_say(weights, only):
    merged = merge_assignments([FIRST, SECOND], weights)
    alone = (FIRST, SECOND)[only]
    start = 2 * only * (alone.gt_inds > 0)
    assert torch.equal(merged.gt_inds, alone.gt_inds + start)
    assert torch.equal(merged.labels, alone.labels)
    assert torch.equal(merged.max_overlaps, alone.max_overlaps)


def test_samplers_that_balance_instances_see_all_boxes():
    """One positive of each of the four boxes, whichever component it is of."""
    sampler = InstanceBalancedPosSampler(num=4, pos_fraction=1.0)
    torch.manual_seed(0)
    sample = sample_once(sampler, [FIRST, SECOND], [0.6, 0.4], PRIORS, GTS)
    assert sample.pos_inds.tolist() in ([0, 1, 3, 6], [0, 2, 3, 6])
    both = torch.cat([gt.bboxes for gt in GTS])
    owners = torch.tensor([0, 1, 2, 3])
    assert torch.equal(sample.pos_gt_bboxes, both[owners])
    assert sampler.add_gt_as_proposals


def test_one_sample_seen_from_either_side():
    sampler = InstanceBalancedPosSampler(num=10, pos_fraction=0.5)
    sample = sample_once(sampler, [FIRST, SECOND], [0.6, 0.4], PRIORS, GTS)
    assert sample.pos_inds.tolist() == [0, 1, 2, 3, 6]
    assert sample.neg_inds.tolist() == [4]
    for result, gt, keep, positive, rest in (
        (FIRST, GTS[0], False, [0, 1, 2], [3, 4]),
        (FIRST, GTS[0], True, [0, 1, 2], [3, 6, 4]),
        (SECOND, GTS[1], False, [0, 3, 6], [1, 4]),
        (SECOND, GTS[1], True, [0, 3, 6], [1, 2, 4]),
    ):
        view = seen_by(sample, result, PRIORS, gt, keep_ignored=keep)
        assert view.pos_inds.tolist() == positive
        assert view.neg_inds.tolist() == rest
        assert torch.equal(view.neg_priors, PRIORS[rest])
        owners = result.gt_inds[positive] - 1
        assert torch.equal(view.pos_gt_bboxes, gt.bboxes[owners])
        assert torch.equal(view.pos_gt_labels, gt.labels[owners])
        assert view.avg_factor == 5 + 1


def test_regressed_first_regroups_image_by_image():
    components = [
        Annotations(
            [f'{name}{i}' for i in range(3)],
            [dict(loss_factors=Factors(w, reg)) for w, reg in zip(weights, regs)],
            ignored,
        )
        for name, weights, regs, ignored in (
            ('a', (0.9, 0.5, 0.1), (1.0, 0.0, 0.0), ['ia0', 'ia1', 'ia2']),
            ('b', (0.1, 0.5, 0.9), (0.0, 1.0, 1.0), ['ib0', 'ib1', 'ib2']),
        )
    ]
    first, second = regressed_first(components)
    assert first.gt_instances == ['a0', 'b1', 'b2']
    assert second.gt_instances == ['b0', 'a1', 'a2']
    assert first.ignored == ['ia0', 'ib1', 'ib2']
    assert [m['loss_factors'].cls for m in first.metas] == [0.9, 0.5, 0.9]
    assert [m['loss_factors'].cls for m in second.metas] == [0.1, 0.5, 0.1]
    bare = [component._replace(ignored=None) for component in components]
    assert regressed_first(bare)[0].ignored == [None] * 3
