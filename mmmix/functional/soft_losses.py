"""Soft-label losses of BoxMix (eq. 7-11), one image at a time.

Shape shorthand: A anchors, C classes; labels lie in [0, C], C is background.
Index 0 of a pair is component 0 with weight λ, index 1 the other one.

Soft cross-entropy is linear in its target, so the soft label of eq. 8,
p̃ = λ p + (1 - λ) p', is never built: two hard-label losses do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

POSITIVES = ('dominant', 'any', 'factored')
"""Rules of the anchors that BoxMix counts as positives."""


class ClsLosses(NamedTuple):
    """Classification loss of one image before normalisation.

    Attributes:
        loss: Sum over positives and mined negatives, a scalar tensor.
        num_pos: n of the image, the count it contributes to the normaliser;
            fractional under ``'factored'``.
    """

    loss: Tensor
    num_pos: float


def boxmix_cls_losses(
    log_probs: Tensor,
    labels: tuple[Tensor, Tensor],
    label_weights: tuple[Tensor, Tensor],
    lam: float,
    neg_pos_ratio: float,
    positives: str,
    dominant: int,
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
        log_probs: ``(A, C + 1)``, float32.
        labels: Two ``(A,)`` label vectors.
        label_weights: Two ``(A,)`` weights, 0 for anchors to be left out.
        lam: λ in [0, 1].
        neg_pos_ratio: Mined negatives per positive (3 in SSD).
        positives: One of the rules above.
        dominant: Index of the dominant component.
    """
    weights = (lam, 1.0 - lam)
    parts = [
        weight * F.nll_loss(log_probs, label, reduction='none') * label_weight
        for weight, label, label_weight in zip(weights, labels, label_weights)
    ]
    classes = log_probs.shape[1] - 1
    matched = [label < classes for label in labels]
    if positives == 'factored':
        num_pos = sum(w * int(m.sum()) for w, m in zip(weights, matched))
        foreground = parts[0][matched[0]].sum() + parts[1][matched[1]].sum()
        background = parts[0] * ~matched[0] + parts[1] * ~matched[1]
        return factored_loss(foreground, background, num_pos, neg_pos_ratio)
    is_pos = matched[0] | matched[1] if positives == 'any' else matched[dominant]
    return mined_loss(parts[0] + parts[1], is_pos, neg_pos_ratio)


def mined_loss(loss: Tensor, is_pos: Tensor, neg_pos_ratio: float) -> ClsLosses:
    """All positives and the hardest of the other anchors.

    Args:
        loss: ``(A,)`` loss per anchor.
        is_pos: ``(A,)`` bool, the positives.
        neg_pos_ratio: Mined negatives per positive.
    """
    num_pos = int(is_pos.sum())
    negatives = loss[~is_pos]
    count = min(int(neg_pos_ratio * num_pos), negatives.numel())
    mined = negatives.topk(count).values.sum()
    return ClsLosses(loss[is_pos].sum() + mined, num_pos)


def factored_loss(
    foreground: Tensor, background: Tensor, num_pos: float, neg_pos_ratio: float
) -> ClsLosses:
    """Foreground and background part of the soft cross-entropy, apart.

    Args:
        foreground: Sum over all anchors, a scalar.
        background: ``(A,)`` loss per anchor, which is mined.
        num_pos: n, may be fractional.
        neg_pos_ratio: Mined negatives per positive.
    """
    count = min(round(neg_pos_ratio * num_pos), background.numel())
    mined = background.topk(count).values.sum()
    return ClsLosses(foreground + mined, num_pos)
