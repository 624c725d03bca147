"""Names, ranges and splitting of the mixing fields."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.structures import InstanceData

from mmmix.structures import (
    check_mix_ids,
    check_mix_weights,
    dominant_component,
    split_components,
    with_box_weights,
)
from tests.helpers import annotations, mixed


@pytest.mark.parametrize(
    ('weights', 'error', 'message'),
    [
        ((0.5, 0.6), ValueError, 'sum to 1'),
        ((1.2, -0.2), ValueError, r'in \[0, 1\]'),
        ((math.nan, 0.5), ValueError, r'in \[0, 1\]'),
        ((), ValueError, 'one weight'),
        (0.5, TypeError, 'tuple of floats'),
        ('ab', TypeError, 'tuple of floats'),
        ((0.5, None), TypeError, 'numbers'),
    ],
)
def test_bad_weights_are_refused(weights, error, message):
    with pytest.raises(error, match=message):
        check_mix_weights(weights)


@given(st.floats(0, 1))
def test_weights_of_a_pair_pass(lam):
    assert check_mix_weights([lam, 1 - lam]) == (lam, 1 - lam)


@given(st.floats(0, 1))
def test_dominant_component_is_eq_7(lam):
    assert dominant_component((lam, 1 - lam)) == (0 if lam > 1 - lam else 1)


def test_a_tie_goes_to_component_1():
    assert dominant_component((0.5, 0.5)) == 1


@pytest.mark.parametrize(
    ('ids', 'error', 'message'),
    [
        (torch.tensor([0, 1]), ValueError, r'shape \(3,\)'),
        (torch.tensor([[0, 1, 1]]), ValueError, 'shape'),
        (torch.tensor([0, 1, 2]), ValueError, r'\[0, 2\).*from 0 to 2'),
        (torch.tensor([0, -1, 1]), ValueError, 'from -1 to 1'),
        (torch.tensor([0.0, 1.0, 1.0]), TypeError, 'int64'),
        ([0, 1, 1], TypeError, 'list'),
    ],
)
def test_bad_ids_are_refused(ids, error, message):
    with pytest.raises(error, match=message):
        check_mix_ids(ids, num_boxes=3, num_components=2)


def test_split_gives_back_the_components():
    first, second = annotations((3, 0, 2), seed=1), annotations((1, 2, 0), seed=2)
    parts = split_components(mixed(first, second, (0.2, 0.7, 1.0)))
    for part, side in zip(parts, (first, second)):
        for got, want in zip(part.gt_instances, side.gt_instances):
            assert torch.equal(got.bboxes, want.bboxes)
            assert torch.equal(got.labels, want.labels)
    batch = mixed(first, second, (0.2, 0.7, 1.0))
    assert batch.weights == [(0.2, 0.8), (0.7, 1 - 0.7), (1.0, 0.0)]
    assert all('mix_weights' not in meta for part in parts for meta in part.metas)


def test_box_weights_follow_the_components():
    first, second = annotations((2, 1), seed=1), annotations((1, 1), seed=2)
    batch = mixed(first, second, (0.2, 0.7))
    batch.gt_instances[1], batch.metas[1] = first.gt_instances[1], first.metas[1]
    weighted = with_box_weights(batch)
    assert weighted.gt_instances[0].box_weights.tolist() == pytest.approx(
        [0.2, 0.2, 0.8]
    )
    assert weighted.gt_instances[1].box_weights.tolist() == [1.0]
    assert 'box_weights' not in batch.gt_instances[0]


@pytest.mark.parametrize('split', [split_components, with_box_weights])
def test_errors_name_the_image(split):
    first, second = annotations((2,), seed=1), annotations((1,), seed=2)
    batch = mixed(first, second, (0.2,))
    batch.gt_instances[0].mix_ids = torch.tensor([0, 0, 5])
    with pytest.raises(ValueError, match=r'0: gt_instances.mix_ids .* 0 to 5'):
        split(batch)
    bare = InstanceData(
        bboxes=batch.gt_instances[0].bboxes, labels=batch.gt_instances[0].labels
    )
    with pytest.raises(ValueError, match='PackMixInputs'):
        split(batch._replace(gt_instances=[bare]))
