"""SSD's classification loss where a plan has carried component 1's labels."""

from __future__ import annotations

import torch
from torch import Tensor

from mmmix.functional.soft_losses import (
    ClsLosses,
    hard_losses,
    mined_losses,
    split_losses,
)


def transported_cls_losses(
    log_probs: Tensor,
    labels: Tensor,
    label_weights: Tensor,
    transported: Tensor,
    lam: Tensor,
    neg_pos_ratio: float,
    positives: str,
    dominant: list[int],
) -> ClsLosses:
    """:func:`boxmix_cls_losses` where a plan has carried component 1's labels.

    An anchor's label is λ p + (1 - λ) Σ_j r_ij p'_j. In the rules, its share of the
    classes of component 1 takes the place of a match: ``'factored'`` adds the
    shares up, the others see a match in a share above ½. With the identity as
    plan it is BoxMix.

    Args:
        log_probs: ``(N, A, C + 1)``, float32.
        labels: ``(N, A)`` labels of component 0.
        label_weights: ``(N, A)`` weights of component 0.
        transported: ``(N, A, C + 1)``: Σ_j r_ij p'_j, not negative, sums of at most
            1; less where an anchor of component 1 is to be left out.
        lam: ``(N,)`` float64, λ of each image in [0, 1].
        neg_pos_ratio: Mined negatives per positive.
        positives: A rule, see :func:`boxmix_cls_losses`.
        dominant: Index of each image's dominant component.
    """
    classes = log_probs.shape[-1] - 1
    weight = lam.to(log_probs)[:, None]
    own = hard_losses(log_probs, labels[None], (weight * label_weights)[None])[0]
    other = (weight - 1.0)[..., None] * transported * log_probs
    matched = labels < classes
    shares = transported[..., :classes].sum(dim=-1)
    if positives == 'factored':
        num_pos = lam * matched.sum(dim=-1) + (1.0 - lam) * shares.sum(dim=-1)
        foreground = torch.where(matched, own, 0.0) + other[..., :classes].sum(dim=-1)
        background = torch.where(matched, 0.0, own) + other[..., classes]
        return mined_losses(foreground, background, num_pos, neg_pos_ratio)
    sides = matched, shares > 0.5
    if positives == 'any':
        is_pos = sides[0] | sides[1]
    else:
        is_pos = torch.stack([sides[k][i] for i, k in enumerate(dominant)])
    return split_losses(own + other.sum(dim=-1), is_pos, neg_pos_ratio)
