"""SSD's head, mixed on some anchor levels only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.structures import Annotations

from .mix_ssd_head import MixSSDHead, PairTargets


@MODELS.register_module()
class LevelMixSSDHead(MixSSDHead):
    """``MixSSDHead`` whose targets are mixed on chosen levels (BoxMix, sec. 4.4).

    On those levels an anchor has the targets of BoxMix, on all others both
    components have the targets of component 0, which are the stock ones. So one
    loss runs over all levels, and hard negatives and the normaliser are joint as in
    SSD. Without a level it is the stock loss, with all of them BoxMix. It goes
    with ``LevelMixDetector``, which brings the predictions.

    Args:
        *args: As ``MixSSDHead``.
        mix_levels: Indices of the levels to mix; 0 has the smallest anchors.
        **kwargs: As ``MixSSDHead``.

    Raises:
        ValueError: If there is no level of that index.
    """

    def __init__(self, *args: Any, mix_levels: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        count = self.prior_generator.num_levels
        if not set(mix_levels) <= set(range(count)):
            raise ValueError(
                f'mix_levels must be among {list(range(count))}, the levels of the '
                f'anchor generator, got {list(mix_levels)}'
            )
        self.mix_levels = tuple(mix_levels)

    def _pair_targets(
        self, cls_scores: list[Tensor], parts: list[Annotations]
    ) -> tuple[list[list[Tensor]], list[PairTargets]]:
        """As ``MixSSDHead``, with component 0's targets on the other levels."""
        anchors, targets = super()._pair_targets(cls_scores, parts)
        mixed = torch.cat(
            [
                torch.full_like(level[:, 0], index in self.mix_levels, dtype=torch.bool)
                for index, level in enumerate(anchors[0])
            ]
        )

        def merged(own: Tensor, other: Tensor) -> Tensor:
            return torch.where(mixed.view(-1, *[1] * (own.dim() - 1)), other, own)

        return anchors, [
            PairTargets(*((own, merged(own, other)) for own, other in pair))
            for pair in targets
        ]
