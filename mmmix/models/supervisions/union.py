"""Union: all boxes of all components, weights ignored."""

from __future__ import annotations

from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations

from .supervision import Supervision


@SUPERVISIONS.register_module()
class Union(Supervision):
    """The stock loss on the union of the components' boxes.

    The Union and BoxStack baselines of LossMix and BoxMix, after "Bag of
    Freebies for Training Object Detection Neural Networks"
    (https://arxiv.org/abs/1902.04103). CutMix clips boxes for it; what is left of
    one then counts in full.
    """

    weighs = 'nothing'
    clips = True

    def parts(self, batch: Annotations) -> list[Annotations]:
        """The union, as it is."""
        return [batch]
