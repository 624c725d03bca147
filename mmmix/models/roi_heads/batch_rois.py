"""RoIs of a batch: assigned, drawn and made targets of for all images at once.

Shape shorthand: K parts, N images, C candidates of an image (boxes that are added, and
proposals), M drawn RoIs of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.functional.sampling import draw_sample
from mmmix.mixing.untraced import untraced
from mmmix.models.batch_assignment import assign_by_rule, iou_rule
from mmmix.models.merged_assignment import merge_owners
from mmmix.models.padded_boxes import PaddedBoxes, boxes_of
from mmmix.models.prior_targets import PriorTargets, factors_of
from mmmix.structures import Annotations


class Candidates(NamedTuple):
    """What the RoIs of each image are drawn from.

    Attributes:
        boxes: ``(N, C, 4)``: places for the boxes of every part, then the proposals.
        open: ``(K, N, C)`` bool: which of them a part may draw.
        own: ``(K, N, C)`` int64: 1-based index of the part's box that a candidate is;
            0 for all others.
    """

    boxes: Tensor
    open: Tensor
    own: Tensor

    @classmethod
    def of(
        cls,
        proposals: Sequence[InstanceData],
        padded: PaddedBoxes,
        parts: Sequence[Annotations],
        add_boxes: bool,
        joint: bool,
    ) -> Candidates:
        """Boxes and proposals of a batch.

        A part's own boxes are added to the proposals; where parts draw one sample,
        those of all parts of positive weight, and boxes that two parts have once.

        Args:
            proposals: N sets of ``bboxes``.
            padded: The boxes of all parts.
            parts: K batches of N images; with factors where they are joint.
            add_boxes: Whether boxes are added at all.
            joint: Whether the parts draw one sample.
        """
        shape = (len(parts), len(proposals))
        found = PaddedBoxes.of(proposals, padded.boxes)
        there = found.there.expand(len(parts), -1, -1)
        if not add_boxes:
            return cls(found.boxes, there, torch.zeros_like(there, dtype=torch.int64))
        boxes, real = (
            rows.unflatten(0, shape) for rows in (padded.boxes, padded.there)
        )
        # (K, K', N, G): what the boxes of part K' are to part K.
        is_own = torch.eye(len(parts), dtype=torch.bool, device=boxes.device)
        is_own = is_own[..., None, None]
        allowed = real & is_own
        if joint:
            says = factors_of(parts, boxes)[..., 0] > 0
            same = (boxes == boxes[0]).flatten(2).all(-1) & (real == real[0]).all(-1)
            same = (same & says[0])[..., None]
            is_own = is_own | (same[:, None] & same)
            twice = torch.cat([torch.zeros_like(same[:1]), same[1:]])
            allowed = (real & says[..., None] & ~twice).expand(len(parts), -1, -1, -1)
        numbers = torch.arange(1, boxes.shape[2] + 1, device=boxes.device)
        added, own = (
            rows.transpose(1, 2).flatten(2)
            for rows in (allowed, is_own * numbers * real)
        )
        return cls(
            torch.cat([boxes.transpose(0, 1).flatten(1, 2), found.boxes], dim=1),
            torch.cat([added, there], dim=2),
            torch.cat([own, torch.zeros_like(there, dtype=torch.int64)], dim=2),
        )


class DrawnRoIs(NamedTuple):
    """The RoIs that some part has drawn, those of one image after the other's.

    Attributes:
        rois: ``(M, 5)``: index of the image, and box.
        drawn: ``(K, M)`` float32: 1 where a part has drawn the RoI, else 0.
        targets: Of all M, ``(K, M)``; ``factors`` are those of their images.
        shares: ``(K,)``: mean weight of each part.
        joint: Whether the parts share the sample.
    """

    rois: Tensor
    drawn: Tensor
    targets: PriorTargets
    shares: Tensor
    joint: bool


@untraced  # images have any number of boxes
@torch.no_grad()
def draw_rois(
    head: Any,
    proposals: Sequence[InstanceData],
    parts: Sequence[Annotations],
    joint: bool,
    generator: torch.Generator,
) -> DrawnRoIs:
    """Assign the proposals of all images and parts, and draw as ``RandomSampler``.

    The one value that is read from the device is how many RoIs were drawn.

    Args:
        head: A ``StandardRoIHead`` whose assigner and sampler are known.
        proposals: N sets of ``bboxes``.
        parts: K batches of N images.
        joint: Whether one sample serves all parts, drawn from the RoIs that are
            positive in a part, and negative in all; parts of weight 0 have no say.
        generator: On the device of the proposals.
    """
    sampler, (instances, ignored) = head.bbox_sampler, boxes_of(parts)
    padded = PaddedBoxes.of(instances, get_box_tensor(proposals[0].bboxes))
    boxes, allowed, own = Candidates.of(
        proposals, padded, parts, sampler.add_gt_as_proposals, joint
    )
    priors = boxes.repeat(len(parts), 1, 1)
    # A part's own boxes are its own, and do not compete with the proposals.
    left_out = (~allowed | (own > 0)).flatten(0, 1)
    rule = iou_rule(head.bbox_assigner)
    owners = assign_by_rule(rule, priors, padded, ignored, left_out)
    owners = torch.where(own > 0, own, owners.unflatten(0, own.shape[:2]))
    merged = merge_owners(owners, parts) if joint else owners
    merged = torch.where(allowed[0] if joint else allowed, merged, -1)
    sample = draw_sample(
        merged, sampler.num, sampler.pos_fraction, sampler.neg_pos_ub, generator
    )
    targets = PriorTargets.of(
        priors,
        padded,
        owners.flatten(0, 1),
        parts,
        head.bbox_head.num_classes,
        head.train_cfg['pos_weight'],
    )
    drawn = sample.mask(merged).expand_as(allowed)
    images, places = drawn.any(dim=0).nonzero().unbind(dim=1)
    rows = [rows[:, images, places] for rows in (drawn.float(), *targets[:-1])]
    factors = targets.factors.float()
    return DrawnRoIs(
        torch.cat([images[:, None].to(boxes), boxes[images, places]], dim=1),
        rows[0],
        PriorTargets(*rows[1:], factors[:, images]),
        factors[..., 0].mean(dim=1),
        joint,
    )
