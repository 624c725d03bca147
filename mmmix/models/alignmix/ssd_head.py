"""SSD's head where a plan carries the labels of component 1."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.functional.soft_losses import ClsLosses, one_hot
from mmmix.models.dense_heads import MixSSDHead
from mmmix.models.prior_targets import PriorTargets
from mmmix.structures import LOSS_FACTORS, Annotations, dominant_component

from .fields import TRANSPORT
from .label_maps import Levels
from .transported_losses import transported_cls_losses


@MODELS.register_module()
class AlignMixSSDHead(MixSSDHead):
    """``MixSSDHead`` of ``AlignMix``, which builds it in that one's place.

    An image with a plan has component 1's labels carried through it, and the offsets
    of component 0, whose matches it counts for them. Labels that travelled are soft,
    so the mined negatives follow their shares instead of a match.

    Args:
        *args: As ``MixSSDHead``.
        mix_positives: As ``MixSSDHead``.
        **kwargs: As ``MixSSDHead``.
    """

    def __init__(
        self, *args: Any, mix_positives: str = 'factored', **kwargs: Any
    ) -> None:
        super().__init__(*args, mix_positives=mix_positives, **kwargs)

    def _joint_cls(
        self,
        log_probs: Tensor,
        targets: PriorTargets,
        parts: list[Annotations],
        first: list[int],
    ) -> tuple[ClsLosses, Tensor]:
        """As ``MixSSDHead``, with carried labels where an image has a plan."""
        transports = [meta.get(TRANSPORT) for meta in parts[0].metas]
        if not any(transport is not None for transport in transports):
            return super()._joint_cls(log_probs, targets, parts, first)
        levels = Levels.of(self._last_grid.key[0], self.prior_generator)
        shares = one_hot(targets.labels[1], self.cls_out_channels)
        shares = shares.to(log_probs) * targets.label_weights[1][..., None]
        carried = [
            share if transport is None else levels.carry(transport, share)
            for share, transport in zip(shares, transports)
        ]
        cls = transported_cls_losses(
            log_probs,
            targets.labels[0],
            targets.label_weights[0],
            torch.stack(carried),
            targets.factors[0, :, 0],
            self.train_cfg['neg_pos_ratio'],
            self.mix_positives,
            [
                dominant_component([part.metas[i][LOSS_FACTORS].cls for part in parts])
                for i in range(len(transports))
            ],
        )
        own = (targets.labels[0] < self.num_classes).sum(dim=-1)
        travels = [transport is not None for transport in transports]
        return cls, torch.where(cls.num_pos.new_tensor(travels) > 0, own, cls.num_pos)
