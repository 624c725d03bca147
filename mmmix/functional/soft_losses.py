"""Soft-label losses of BoxMix (eq. 7-11), one image at a time.

Shape shorthand: A anchors, C classes; labels lie in [0, C], C is background.
Index 0 of a pair is component 0 with weight λ, index 1 the other one.

Soft cross-entropy is linear in its target, so the soft label of eq. 8,
p̃ = λ p + (1 - λ) p', is never built: two hard-label losses do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class ClsLosses(NamedTuple):
    """Classification loss of one image before normalisation.

    Attributes:
        loss: Sum over positives and mined negatives, a scalar tensor.
        num_pos: n of the image, the count it contributes to the normaliser;
            fractional under ``'factored'``.
    """

    loss: Tensor
    num_pos: float


def hard_cross_entropy(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy per anchor, ``(A,)``, from ``(A, C + 1)`` log-probabilities."""
    return F.nll_loss(log_probs, labels, reduction='none')


def boxmix_cls_losses(
    log_probs: Tensor,
    labels: tuple[Tensor, Tensor],
    label_weights: tuple[Tensor, Tensor],
    lam: float,
    neg_pos_ratio: float,
    positives: str,
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
    """
    weights = (lam, 1.0 - lam)
    parts = [
        weight * hard_cross_entropy(log_probs, label) * label_weight
        for weight, label, label_weight in zip(weights, labels, label_weights)
    ]
    background = log_probs.shape[1] - 1
    matched = [label < background for label in labels]
    if positives == 'factored':
        num_pos = sum(w * int(m.sum()) for w, m in zip(weights, matched))
        foreground = sum(part[m].sum() for part, m in zip(parts, matched))
        background = sum(part * ~m for part, m in zip(parts, matched))
        return _factored(foreground, background, num_pos, neg_pos_ratio)
    return _mined(
        parts[0] + parts[1], _positive(matched, lam, positives), neg_pos_ratio
    )


def transported_cls_losses(
    log_probs: Tensor,
    labels: Tensor,
    label_weights: Tensor,
    transported: Tensor,
    lam: float,
    neg_pos_ratio: float,
    positives: str,
) -> ClsLosses:
    """:func:`boxmix_cls_losses` where a plan has carried component 1's labels.

    An anchor's label is λ p + (1 - λ) Σ_j r_ij p'_j. In the rules, its share of the
    classes of component 1 takes the place of a match: ``'factored'`` adds the
    shares up, the others see a match in a share above ½. With the identity as
    plan it is BoxMix.

    Args:
        log_probs: ``(A, C + 1)``, float32.
        labels: ``(A,)`` labels of component 0.
        label_weights: ``(A,)`` weights of component 0.
        transported: ``(A, C + 1)``: Σ_j r_ij p'_j, not negative, sums of at most
            1; less where an anchor of component 1 is to be left out.
        lam: λ in [0, 1].
        neg_pos_ratio: Mined negatives per positive.
        positives: A rule, see :func:`boxmix_cls_losses`.
    """
    classes = log_probs.shape[1] - 1
    own = lam * hard_cross_entropy(log_probs, labels) * label_weights
    other = -(1.0 - lam) * transported * log_probs
    matched = labels < classes
    shares = transported[:, :classes].sum(dim=1)
    if positives == 'factored':
        num_pos = lam * int(matched.sum()) + (1.0 - lam) * float(shares.sum())
        foreground = own[matched].sum() + other[:, :classes].sum()
        background = own * ~matched + other[:, classes]
        return _factored(foreground, background, num_pos, neg_pos_ratio)
    is_pos = _positive([matched, shares > 0.5], lam, positives)
    return _mined(own + other.sum(dim=1), is_pos, neg_pos_ratio)


def _positive(matched: list[Tensor], lam: float, positives: str) -> Tensor:
    """Mask of the positives of ``'any'`` and ``'dominant'``."""
    if positives == 'any':
        return matched[0] | matched[1]
    return matched[0] if lam > 0.5 else matched[1]


def _mined(loss: Tensor, is_pos: Tensor, neg_pos_ratio: float) -> ClsLosses:
    """All positives and the hardest of the other anchors."""
    num_pos = int(is_pos.sum())
    mined = _hardest(loss[~is_pos], neg_pos_ratio * num_pos)
    return ClsLosses(loss[is_pos].sum() + mined, num_pos)


def _factored(
    foreground: Tensor, background: Tensor, num_pos: float, neg_pos_ratio: float
) -> ClsLosses:
    """Foreground and background part of the soft cross-entropy, apart."""
    mined = _hardest(background, round(neg_pos_ratio * num_pos))
    return ClsLosses(foreground + mined, num_pos)


def _hardest(losses: Tensor, count: float) -> Tensor:
    """Sum of the ``count`` largest losses, of all where there are fewer."""
    return torch.topk(losses, min(int(count), losses.numel())).values.sum()
