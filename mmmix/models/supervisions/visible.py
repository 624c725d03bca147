"""Visible: one pass over all boxes, each weighted by what is seen of it."""

from __future__ import annotations

from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations, with_visibility

from .supervision import Supervision


@SUPERVISIONS.register_module()
class Visible(Supervision):
    """The stock loss on the union, positives times their box's visible share.

    For CutMix, which clips boxes for it: "CutMix: Regularization Strategy to Train
    Strong Classifiers with Localizable Features"
    (https://arxiv.org/abs/1905.04899) mixes labels by area; on a detector every
    pixel belongs to one image, so an object counts by the share of its own box
    that is still to be seen, whatever λ is. Negatives keep weight 1 and the
    normaliser is the stock one of the union.
    """

    weighs = 'boxes'
    clips = True
    blends = False

    def parts(self, batch: Annotations) -> list[Annotations]:
        """The union, with a weight per box."""
        return [with_visibility(batch)]
