"""Random samples of all images at once, without waiting for a count.

Shape shorthand: R rows, an image or one of its components each; P priors; S places of
a sample, of which a row may fill less.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Sample(NamedTuple):
    """What was drawn of each row; the places of positives come first.

    Attributes:
        drawn: ``(R, S)`` int64, the drawn priors; any prior at a place not filled.
        filled: ``(R, S)`` bool.
        num_pos: Number of places of positives.
    """

    drawn: Tensor
    filled: Tensor
    num_pos: int

    def counts(self) -> tuple[Tensor, Tensor]:
        """Positives and negatives that were drawn of each row, ``(R,)`` each."""
        sides = self.filled[:, : self.num_pos], self.filled[:, self.num_pos :]
        return sides[0].sum(dim=1), sides[1].sum(dim=1)


def draw_sample(
    owners: Tensor,
    num: int,
    pos_fraction: float,
    neg_pos_ub: float,
    generator: torch.Generator,
) -> Sample:
    """Draw as ``RandomSampler`` does: as many, and every subset as likely as another.

    Each prior gets a random key, and those of the largest keys are drawn; how many
    positives there are need not be known. Keys have 53 bits, so that none tie.

    Args:
        owners: ``(R, P)``: positive above 0, negative at 0, else not drawn.
        num: Size of a sample.
        pos_fraction: Largest share of positives in it.
        neg_pos_ub: Most negatives per positive; negative for no bound.
        generator: On the device of ``owners``.
    """
    size = owners.shape[1]
    keys = torch.rand(
        owners.shape, dtype=torch.float64, device=owners.device, generator=generator
    )
    most_pos, most_neg = min(int(num * pos_fraction), size), min(num, size)
    positive = torch.where(owners > 0, keys, -1.0).topk(most_pos, dim=1)
    negative = torch.where(owners == 0, keys, -1.0).topk(most_neg, dim=1)
    filled = positive.values >= 0
    num_pos = filled.sum(dim=1, keepdim=True)
    wanted = num - num_pos
    if neg_pos_ub >= 0:
        wanted = wanted.minimum((neg_pos_ub * num_pos.clamp(min=1)).floor())
    ranks = torch.arange(most_neg, device=owners.device)
    others = (negative.values >= 0) & (ranks < wanted)
    return Sample(
        torch.cat([positive.indices, negative.indices], dim=1),
        torch.cat([filled, others], dim=1),
        most_pos,
    )
