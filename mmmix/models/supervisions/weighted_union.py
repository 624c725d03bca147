"""WeightedUnion: one pass over all boxes, each with its component's weight."""

from __future__ import annotations

from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations, with_box_weights

from .supervision import Supervision


@SUPERVISIONS.register_module()
class WeightedUnion(Supervision):
    """The stock loss on the union, positives times their box's weight.

    Negatives keep weight 1, the normaliser is the stock one of the union, and
    hard negatives are mined on the unweighted loss. This is what GluonCV's
    YOLOv3 does and one reading of LossMix suppl. A. It scales gradients but,
    unlike LossMix, does not move the target: the optimum of a free logit is
    the hard label at every λ.
    """

    weighs = 'boxes'

    def parts(self, batch: Annotations) -> list[Annotations]:
        """The union, with a weight per box."""
        return [with_box_weights(batch)]
