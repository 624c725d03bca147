"""What the boxes of an image weigh, by hand."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from mmmix.models.box_factors import box_factors, weighs_boxes


@pytest.mark.parametrize(
    ('fields', 'expected'),
    [
        ({}, [[1, 1], [1, 1]]),
        (dict(box_weights=[0.5, 1]), [[0.5, 0.5], [1, 1]]),
        (dict(regression_weights=[0, 1]), [[1, 0], [1, 1]]),
        (
            dict(box_weights=[0.5, 1], regression_weights=[0.5, 0]),
            [[0.5, 0.25], [1, 0]],
        ),
    ],
)
def test_factors_of_two_boxes(fields, expected):
    tensors = {name: torch.tensor(values) for name, values in fields.items()}
    instances = InstanceData(labels=torch.tensor([3, 4]), **tensors)
    assert box_factors(instances).tolist() == expected
    assert box_factors(instances).dtype == torch.float32
    assert weighs_boxes(instances) is bool(fields)
    assert box_factors(instances[:0]).shape == (0, 2)
