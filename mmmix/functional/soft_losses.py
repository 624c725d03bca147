"""Classification losses with SSD's hard negative mining, for all images at once.

Shape shorthand: N images, A anchors, C classes; labels lie in [0, C], C is
background. Index 0 of two is component 0 with weight λ, index 1 the other one.

Soft cross-entropy is linear in its target, so the soft label of BoxMix (eq. 8),
p̃ = λ p + (1 - λ) p', is never built: two hard-label losses do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

POSITIVES = ('dominant', 'any', 'factored')
"""Rules of the anchors that BoxMix counts as positives."""


class ClsLosses(NamedTuple):
    """Classification losses of images before normalisation.

    Attributes:
        loss: Sum over positives and mined negatives, ``(..., N)``.
        num_pos: n of each image, the count it contributes to the normaliser;
            fractional under ``'factored'``.
    """

    loss: Tensor
    num_pos: Tensor


def one_hot(labels: Tensor, num_classes: int) -> Tensor:
    """One-hot labels, ``(..., num_classes)`` bool.

    ``torch.nn.functional.one_hot`` looks whether labels are in range, which is read
    from the device.

    Args:
        labels: ``(...)`` in [0, num_classes).
        num_classes: Number of classes.
    """
    return labels[..., None] == torch.arange(num_classes, device=labels.device)


def hard_losses(log_probs: Tensor, labels: Tensor, label_weights: Tensor) -> Tensor:
    """Weighted cross-entropy of hard labels, ``(K, N, A)``.

    Args:
        log_probs: ``(N, A, C + 1)``.
        labels: ``(K, N, A)``, K labels of each anchor.
        label_weights: ``(K, N, A)``, 0 for anchors to be left out.
    """
    chosen = log_probs.gather(2, labels.permute(1, 2, 0)).permute(2, 0, 1)
    return chosen * -label_weights


def boxmix_cls_losses(
    log_probs: Tensor,
    labels: Tensor,
    label_weights: Tensor,
    weights: Tensor,
    neg_pos_ratio: float,
    positives: str,
    dominant: list[int],
) -> ClsLosses:
    """Classification loss of BoxMix with SSD's hard negative mining.

    The paper leaves mining on mixed anchors open. Three rules:

    - ``'dominant'``: the anchors matched in the dominant component are the
      positives; all others, matches of the lighter component included, compete
      as negatives. The exact limit of SSD for λ → 0 and λ → 1.
    - ``'any'``: anchors matched in either component are positives.
    - ``'factored'``: the foreground part of the soft cross-entropy on anchors
      matched in either, and the background part mined over all anchors;
      n = λ n_0 + (1 - λ) n_1. Continuous in λ.

    Args:
        log_probs: ``(N, A, C + 1)``, float32.
        labels: ``(2, N, A)``.
        label_weights: ``(2, N, A)``, 0 for anchors to be left out.
        weights: ``(2, N)``: λ and 1 - λ of each image.
        neg_pos_ratio: Mined negatives per positive (3 in SSD).
        positives: One of the rules above.
        dominant: Index of each image's dominant component.
    """
    scaled = label_weights * weights[..., None].to(label_weights)
    losses = hard_losses(log_probs, labels, scaled)
    matched = labels < log_probs.shape[-1] - 1
    if positives == 'factored':
        num_pos = (weights.double() * matched.sum(dim=-1)).sum(dim=0)
        foreground = torch.where(matched, losses, 0.0).sum(dim=0)
        background = torch.where(matched, 0.0, losses).sum(dim=0)
        return mined_losses(foreground, background, num_pos, neg_pos_ratio)
    if positives == 'any':
        is_pos = matched.any(dim=0)
    else:
        is_pos = torch.stack([matched[k, i] for i, k in enumerate(dominant)])
    return split_losses(losses.sum(dim=0), is_pos, neg_pos_ratio)


def split_losses(losses: Tensor, is_pos: Tensor, neg_pos_ratio: float) -> ClsLosses:
    """All positives and the hardest of the other anchors.

    Args:
        losses: ``(..., A)`` loss per anchor, not negative.
        is_pos: ``(..., A)`` bool, the positives.
        neg_pos_ratio: Mined negatives per positive.
    """
    return mined_losses(
        torch.where(is_pos, losses, 0.0),
        torch.where(is_pos, 0.0, losses),
        is_pos.sum(dim=-1),
        neg_pos_ratio,
    )


def mined_losses(
    foreground: Tensor, background: Tensor, num_pos: Tensor, neg_pos_ratio: float
) -> ClsLosses:
    """All of the foreground, and the hardest of the background.

    Rows are sorted, as how many of them are mined is known to the device only.

    Args:
        foreground: ``(..., A)`` loss per anchor.
        background: ``(..., A)`` loss per anchor, not negative.
        num_pos: n, ``(...)``; may be fractional.
        neg_pos_ratio: Mined negatives per positive; their number is rounded.
    """
    ranks = torch.arange(background.shape[-1], device=background.device)
    chosen = ranks < (neg_pos_ratio * num_pos).round()[..., None]
    hardest = background.sort(dim=-1, descending=True).values
    mined = torch.where(chosen, hardest, 0.0).sum(dim=-1)
    return ClsLosses(foreground.sum(dim=-1) + mined, num_pos)
