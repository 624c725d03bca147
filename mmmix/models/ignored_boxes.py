"""Boxes to ignore in images without objects."""

from __future__ import annotations

from typing import Any

from mmdet.models.task_modules.assigners import AssignResult
from mmengine.structures import InstanceData


def filled(instances: InstanceData | None) -> InstanceData | None:
    """Boxes to ignore, or None if there are none, with the field or without it.

    An image without boxes to ignore may have an ``InstanceData`` without ``bboxes``.
    """
    return instances if instances is not None and len(instances) else None


class HeedingAssigner:
    """An assigner that heeds boxes to ignore where an image has no object, too.

    mmdet's ``MaxIoUAssigner`` makes every prior of such an image a negative before it
    looks at them. A component of a mixed image often has no object. Nor does it take
    instances without ``bboxes``, which stand for none here.

    Args:
        assigner: An assigner of mmdet; one without ``ignore_iof_thr`` stays as it is.
    """

    def __init__(self, assigner: Any) -> None:
        self._assigner = assigner

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: Any,
    ) -> AssignResult:
        """Assign priors to boxes; arguments as the wrapped assigner."""
        gt_instances_ignore = filled(gt_instances_ignore)
        result = self._assigner.assign(
            pred_instances, gt_instances, gt_instances_ignore, **kwargs
        )
        threshold = getattr(self._assigner, 'ignore_iof_thr', -1) or -1
        priors = pred_instances.priors
        if len(gt_instances) or gt_instances_ignore is None or threshold <= 0:
            return result
        if not len(priors):
            return result
        sides = [priors, gt_instances_ignore.bboxes]
        axis = 1
        if not self._assigner.ignore_wrt_candidates:
            sides, axis = sides[::-1], 0
        shares = self._assigner.iou_calculator(*sides, mode='iof').amax(dim=axis)
        result.gt_inds[shares > threshold] = -1
        return result
