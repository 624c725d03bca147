"""Union: all boxes of all components, weights ignored."""

from __future__ import annotations

from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations

from .supervision import BoxMixLoss, Losses, StockLoss, Supervision


@SUPERVISIONS.register_module()
class Union(Supervision):
    """The stock loss on the union of the components' boxes.

    The Union and BoxStack baselines of LossMix and BoxMix, after "Bag of
    Freebies for Training Object Detection Neural Networks"
    (https://arxiv.org/abs/1902.04103). CutMix clips boxes to what is visible for
    it; what is left of a box then counts in full.
    """

    clips = True

    def mixed_loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None,
    ) -> Losses:
        """See :class:`Supervision`."""
        return stock_loss(*batch)
