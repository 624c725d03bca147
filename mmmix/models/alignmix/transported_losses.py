"""SSD's classification loss where a plan has carried component 1's labels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mmmix.functional.soft_losses import ClsLosses, factored_loss, mined_loss


def transported_cls_losses(
    log_probs: Tensor,
    labels: Tensor,
    label_weights: Tensor,
    transported: Tensor,
    lam: float,
    neg_pos_ratio: float,
    positives: str,
    dominant: int,
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
        dominant: Index of the dominant component.
    """
    classes = log_probs.shape[1] - 1
    own = lam * F.nll_loss(log_probs, labels, reduction='none') * label_weights
    other = -(1.0 - lam) * transported * log_probs
    matched = labels < classes
    shares = transported[:, :classes].sum(dim=1)
    if positives == 'factored':
        num_pos = lam * int(matched.sum()) + (1.0 - lam) * float(shares.sum())
        foreground = own[matched].sum() + other[:, :classes].sum()
        background = own * ~matched + other[:, classes]
        return factored_loss(foreground, background, num_pos, neg_pos_ratio)
    sides = matched, shares > 0.5
    is_pos = sides[0] | sides[1] if positives == 'any' else sides[dominant]
    return mined_loss(own + other.sum(dim=1), is_pos, neg_pos_ratio)
