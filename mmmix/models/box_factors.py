"""What the boxes of an image weigh in the losses of one image."""

from __future__ import annotations

from mmengine.structures import InstanceData
from torch import Tensor, stack

from mmmix.structures import BOX_WEIGHTS, REGRESSION_WEIGHTS


def weighs_boxes(gt_instances: InstanceData) -> bool:
    """Whether boxes have weights of their own."""
    return BOX_WEIGHTS in gt_instances or REGRESSION_WEIGHTS in gt_instances


def box_factors(gt_instances: InstanceData) -> Tensor:
    """``(num_boxes, 2)`` float32: factors of the (cls, reg) terms of each box.

    ``box_weights`` are of both, ``regression_weights`` of the latter alone; a field
    that is not there stands for ones.
    """
    ones = gt_instances.labels.new_ones(len(gt_instances)).float()
    both = gt_instances.get(BOX_WEIGHTS, ones).to(ones)
    own = gt_instances.get(REGRESSION_WEIGHTS, ones).to(ones)
    return stack([both, both * own], dim=1)
