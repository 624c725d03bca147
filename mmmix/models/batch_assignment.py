"""A head's assigner, applied to all images of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.task_modules.assigners import BboxOverlaps2D, MaxIoUAssigner
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional.max_iou import IoURule, assign_max_iou, exceeds

from .ignored_boxes import HeedingAssigner
from .padded_boxes import PaddedBoxes


def iou_rule(assigner: Any) -> IoURule | None:
    """What is known of an assigner's settings; None if it has to be asked itself.

    ``gpu_assign_thr``, which moves images with many boxes to the CPU, changes no
    result and is not heeded: what is held at once is bounded.

    Args:
        assigner: An assigner of mmdet.
    """
    if type(assigner) is not MaxIoUAssigner:
        return None
    iou = assigner.iou_calculator
    plain = type(iou) is BboxOverlaps2D and iou.dtype is None
    if not plain or getattr(assigner, 'perm_repeat_gt_cfg', None) is not None:
        return None
    # mmdet has no negatives for an integer, and bounds both sides for a tuple.
    if not isinstance(assigner.neg_iou_thr, float) or assigner.pos_iou_thr <= 0:
        return None
    if assigner.min_pos_iou < 0:
        return None
    return IoURule(
        assigner.pos_iou_thr,
        assigner.neg_iou_thr,
        assigner.min_pos_iou if assigner.match_low_quality else None,
        assigner.gt_max_assign_all,
        assigner.ignore_iof_thr or -1,
        assigner.ignore_wrt_candidates,
    )


def assign_batch(
    head: Any,
    sampler: type,
    priors: Tensor,
    padded: PaddedBoxes,
    ignored: Sequence[InstanceData | None],
    left_out: Tensor | None = None,
) -> Tensor:
    """Assign a head's priors to the boxes of all images.

    With an assigner other than ``MaxIoUAssigner``, or another sampler, they are asked
    image by image, as mmdet does; the log says so once. Boxes to ignore count in
    images without objects, too.

    Args:
        head: Has ``assigner`` and ``sampler``.
        sampler: The type of sampler whose work the caller does.
        priors: ``(P, 4)``.
        padded: Boxes of R = K N images, one part's after the other's.
        ignored: Boxes to ignore of each of them, or None.
        left_out: ``(N, P)`` bool: priors that are neither positive nor negative.

    Returns:
        ``(R, P)`` int64, see :func:`mmmix.functional.max_iou.assign_max_iou`.
    """
    rule = iou_rule(head.assigner)
    if left_out is not None:
        left_out = left_out.repeat(len(padded.boxes) // len(left_out), 1)
    if rule is None or type(head.sampler) is not sampler:
        say_slow(head, head.assigner, head.sampler)
        return assign_each(head, priors, padded.instances, ignored, left_out)
    return assign_by_rule(rule, priors, padded, ignored, left_out)


def assign_by_rule(
    rule: IoURule,
    priors: Tensor,
    padded: PaddedBoxes,
    ignored: Sequence[InstanceData | None],
    left_out: Tensor | None = None,
) -> Tensor:
    """Assign priors to the boxes of all images.

    Args:
        rule: Of the assigner.
        priors: ``(P, 4)``, or of each row ``(R, P, 4)``.
        padded: Boxes of R = K N images, one part's after the other's.
        ignored: Boxes to ignore of each of them, or None. They count in images
            without objects, too.
        left_out: ``(R, P)`` bool: priors that are neither positive nor negative.

    Returns:
        ``(R, P)`` int64, see :func:`mmmix.functional.max_iou.assign_max_iou`.
    """
    if rule.ignore > 0 and any(one is not None for one in ignored):
        boxes = PaddedBoxes.of(ignored, priors).boxes
        side = 'prior' if rule.share_of_prior else 'box'
        inside = exceeds(priors, boxes, rule.ignore, side)
        left_out = inside if left_out is None else left_out | inside
    return assign_max_iou(priors, padded.boxes, padded.counts, rule, left_out)


def assign_each(
    head: Any,
    priors: Tensor,
    gt_instances: Sequence[InstanceData],
    ignored: Sequence[InstanceData | None],
    left_out: Tensor | None,
) -> Tensor:
    """The same by the head's own assigner and sampler, image by image.

    Priors that are not sampled are left out.
    """
    assigner, places = HeedingAssigner(head.assigner), torch.arange(len(priors))
    owners = places.new_full((len(gt_instances), len(priors)), -1, device=priors.device)
    for row, instances in enumerate(gt_instances):
        inside = places.to(priors.device)
        if left_out is not None:
            inside = inside[~left_out[row]]
        candidates = InstanceData(priors=priors[inside])
        assigned = assigner.assign(candidates, instances, ignored[row])
        sample = head.sampler.sample(assigned, candidates, instances)
        owners[row, inside[sample.neg_inds]] = 0
        owners[row, inside[sample.pos_inds]] = sample.pos_assigned_gt_inds + 1
    return owners


def say_slow(head: Any, *parts: Any) -> None:
    """Say once that a head's targets are made image by image.

    Args:
        head: Remembers that it was said.
        *parts: Its assigner and sampler.
    """
    if getattr(head, '_said_slow', False):
        return
    head._said_slow = True
    names = ' and '.join(type(part).__name__ for part in parts)
    print_log(
        f'{type(head).__name__}: {names} with these settings are known to mmdet only, '
        'so that targets are made image by image, which takes longer',
        logger='current',
    )
