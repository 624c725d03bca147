"""SSD's head, mixed on some anchor levels only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.models.prior_targets import PriorTargets
from mmmix.structures import Annotations

from .mix_ssd_head import MixSSDHead


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

    def batch_targets(
        self, maps: Sequence[Tensor], parts: Sequence[Annotations]
    ) -> PriorTargets:
        """As ``MixSSDHead``, with component 0's targets on the other levels."""
        targets = super().batch_targets(maps, parts)
        counts = self.prior_generator.num_base_priors
        mixed = torch.cat(
            [
                torch.full((level[0, 0].numel() * count,), index in self.mix_levels)
                for index, (level, count) in enumerate(zip(maps, counts))
            ]
        ).to(targets.priors.device, non_blocking=True)
        return targets._replace(
            **{
                name: torch.where(
                    mixed.view(-1, *[1] * (rows.dim() - 3)), rows, rows[:1]
                )
                for name, rows in targets._asdict().items()
                if name not in ('priors', 'factors')
            }
        )
