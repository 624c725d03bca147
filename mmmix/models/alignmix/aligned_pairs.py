"""The pairs of a batch whose features are mixed, and how their cells match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmix.functional import blend
from mmmix.functional.boxes import Size
from mmmix.models.alignmix.transport import Transport, carry_maps
from mmmix.structures import get_mix_weights

from .fields import MIX_PARTNER, MIX_SIZES, TRANSPORT

Samples = Sequence[DetDataSample]


class Pairs(NamedTuple):
    """P of N images, and their partners.

    Attributes:
        own: ``(P,)`` indices of the images that are mixed.
        partners: ``(P,)`` indices of their partners.
        lam: ``(P, 1, 1, 1)``: λ, the weight of the image itself.
        images: ``own``, on the host.
    """

    own: Tensor
    partners: Tensor
    lam: Tensor
    images: list[int]

    @classmethod
    def of(cls, samples: Samples, like: Tensor) -> Pairs:
        """The pairs that ``PairBatch`` made.

        Raises:
            TypeError, ValueError: If the weights are invalid.
        """
        own = [i for i, sample in enumerate(samples) if MIX_PARTNER in sample.metainfo]
        metas = [samples[i].metainfo for i in own]
        partners = [meta[MIX_PARTNER] for meta in metas]
        lam = torch.tensor(
            [get_mix_weights(meta)[0] for meta in metas], device=like.device
        )
        indices = torch.tensor([own, partners], device=like.device)
        return cls(*indices, lam.view(-1, 1, 1, 1), own)


class AlignedPairs(NamedTuple):
    """Pairs, and where each image's cells take their content from.

    Attributes:
        pairs: P of N images.
        plans: ``(P, r, r)``: rows are the images' cells, columns the partners'.
        grid: (height, width) of the level of the plans.
    """

    pairs: Pairs
    plans: Tensor
    grid: Size

    def mix(self, level: Tensor) -> Tensor:
        """λ A + (1 - λ) Ã at one level; images without a partner stay.

        Args:
            level: ``(N, C, H, W)``.
        """
        own, partners, lam, _ = self.pairs
        carried = carry_maps(self.plans, level[partners], self.grid)
        return level.index_copy(0, own, blend(level[own], carried, lam.to(level)))

    def transports(self, samples: Samples, size: Size) -> list[DetDataSample]:
        """Copies of the samples, whose metainfo says how labels travel.

        Args:
            samples: N samples.
            size: (height, width) of the batch in pixels.
        """
        result = [sample.new() for sample in samples]
        stride = tuple(side / cells for side, cells in zip(size, self.grid))
        for index, plan in zip(self.pairs.images, self.plans):
            transport = Transport(plan, self.grid, stride)
            result[index].set_field(transport, TRANSPORT, field_type='metainfo')
        return result


def blended(inputs: Tensor, samples: Samples) -> tuple[Tensor, list[DetDataSample]]:
    """The pairs with their pixels blended, corner on corner, as mixed samples.

    Args:
        inputs: ``(N, C, H, W)``.
        samples: N samples, some of them paired.
    """
    own, partners, lam, images = Pairs.of(samples, inputs)
    mixed = blend(inputs[own], inputs[partners], lam.to(inputs))
    result = [sample.new() for sample in samples]
    for index in images:
        for field in (MIX_PARTNER, MIX_SIZES):
            result[index].pop(field)
    return inputs.index_copy(0, own, mixed), result


def valid_cells(
    samples: Samples, component: int, size: Size, grid: Size, device: torch.device
) -> Tensor:
    """Cells that a component of the paired samples covers; the rest is padding.

    Args:
        samples: Paired samples, P of them.
        component: 0 for the images themselves, 1 for their partners.
        size: (height, width) of the batch in pixels.
        grid: (height, width) of a level in cells.
        device: Where to put the result.

    Returns:
        ``(P, r)`` bool.
    """
    masks = torch.zeros((len(samples), *grid), dtype=torch.bool)
    for mask, sample in zip(masks, samples):
        image = sample.metainfo[MIX_SIZES][component]
        rows, columns = (
            math.ceil(cells * length / side)
            for cells, length, side in zip(grid, image, size)
        )
        mask[:rows, :columns] = True
    return masks.flatten(1).to(device, non_blocking=True)
