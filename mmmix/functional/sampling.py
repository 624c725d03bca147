"""Random samples of all rows at once, without waiting for a count.

Shape shorthand: R rows, an image or one of its components each; P priors; S places of
a sample, of which a row may fill less.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Sample(NamedTuple):
    """What was drawn of each row, positives first.

    Attributes:
        drawn: ``(..., R, S)`` int64, the drawn priors; any at a place not filled.
        filled: ``(..., R, S)`` bool.
        num_pos: ``(..., R)`` int64, number of positives that were drawn.
        most_pos: No place from this one on has a positive.
    """

    drawn: Tensor
    filled: Tensor
    num_pos: Tensor
    most_pos: int

    def mask(self, owners: Tensor) -> Tensor:
        """Which priors were drawn, ``(..., R, P)`` bool, of the owners drawn from."""
        # A place that is not filled may name a prior that another one has drawn.
        hits = torch.zeros_like(owners).scatter_add_(-1, self.drawn, self.filled.long())
        return hits > 0


def draw_sample(
    owners: Tensor,
    num: int,
    pos_fraction: float,
    neg_pos_ub: float,
    generator: torch.Generator,
) -> Sample:
    """Draw as ``RandomSampler`` does: as many, and every subset as likely as another.

    Each prior gets a random key, and those of the largest keys are drawn; how many
    positives there are need not be known. Keys have 53 bits, so that none tie. The
    components of an image share its keys, so that what they draw of the same priors
    is mostly the same; each of their samples is as likely as ever.

    Args:
        owners: ``(R, P)``, or of K components ``(K, R, P)``: positive above 0,
            negative at 0, else not drawn.
        num: Size of a sample.
        pos_fraction: Largest share of positives in it.
        neg_pos_ub: Most negatives per positive; negative for no bound.
        generator: On the device of ``owners``.
    """
    size = owners.shape[-1]
    shape, device = owners.shape[-2:], owners.device
    keys = torch.rand(shape, dtype=torch.float64, device=device, generator=generator)
    most_pos, most = min(int(num * pos_fraction), size), min(num, size)
    positive = torch.where(owners > 0, keys, -1.0).topk(most_pos)
    negative = torch.where(owners == 0, keys, -1.0).topk(most)
    filled = positive.values >= 0
    num_pos = filled.sum(dim=-1, keepdim=True)
    wanted = num - num_pos
    if neg_pos_ub >= 0:
        wanted = wanted.minimum((neg_pos_ub * num_pos.clamp(min=1)).floor())
    ranks = torch.arange(most, device=device)
    others = (negative.values >= 0) & (ranks < wanted)
    places = torch.cat([filled, others], dim=-1)
    # Filled places first, in their order; no more than these are filled.
    order = places.long().argsort(dim=-1, descending=True, stable=True)[..., :most]
    drawn = torch.cat([positive.indices, negative.indices], dim=-1)
    return Sample(
        drawn.gather(-1, order), places.gather(-1, order), num_pos[..., 0], most_pos
    )
