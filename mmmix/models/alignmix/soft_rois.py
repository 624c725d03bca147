"""RoIs whose labels of component 1 are soft (AlignMix)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmmix.functional.soft_losses import one_hot
from mmmix.models.roi_heads.sample_weights import get_sample_weights
from mmmix.models.roi_heads.shared_rois import SharedRoIs
from mmmix.structures import LOSS_FACTORS, Annotations


def soft_cls_loss(
    head: Any,
    train_cfg: Any,
    cls_score: Tensor,
    shared: Sequence[SharedRoIs],
    part: Annotations,
) -> dict[str, Tensor]:
    """Classification loss of component 1, on the sample of both components.

    The loss is linear in its target: each class that a RoI has a share of is a hard
    label with the share as weight. A RoI has no more of them than its image has boxes,
    and the background. The normaliser is the size of the sample.

    Args:
        head: The box head.
        train_cfg: Of the RoI head.
        cls_score: ``(n, C + 1)`` of all RoIs, image by image.
        shared: The images' samples. Those without a plan have hard labels.
        part: Component 1 of all images, with its factors.

    Returns:
        ``loss_cls``, a scalar.
    """
    shares = torch.cat(
        [
            _hard_shares(head, train_cfg, image)
            if image.shares is None
            else meta[LOSS_FACTORS].cls * image.shares
            for image, meta in zip(shared, part.metas)
        ]
    )
    most = max(len(instances) for instances in part.gt_instances) + 1
    weights, labels = shares.topk(min(most, shares.shape[1]))
    loss = head.loss_cls(
        cls_score.repeat_interleave(labels.shape[1], dim=0),
        labels.flatten(),
        weights.flatten(),
        avg_factor=max(len(shares), 1),
    )
    return dict(loss_cls=loss)


def _hard_shares(head: Any, train_cfg: Any, image: SharedRoIs) -> Tensor:
    """Weighted one-hot labels of component 1, ``(n, C + 1)``, RoIs in their order."""
    view, order = image.views[1], image.orders[1]
    labels = head.get_targets([view], train_cfg)[0]
    factors = get_sample_weights([view]).labels
    shares = one_hot(labels, head.num_classes + 1) * factors[:, None]
    return torch.empty_like(shares).index_copy_(0, order, shares)
