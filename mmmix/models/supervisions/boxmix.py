"""BoxMix: soft labels per anchor, offsets of the dominant component."""

from __future__ import annotations

from mmmix.mixing.settings import check_choice
from mmmix.registry import SUPERVISIONS
from mmmix.structures import Annotations, split_components

from .supervision import BoxMixLoss, Losses, StockLoss, Supervision


@SUPERVISIONS.register_module()
class BoxMix(Supervision):
    """Mix the anchor representations of two components (BoxMix, eq. 5-11).

    "Mixup Regularization for Region Proposal based Object Detectors"
    (https://arxiv.org/abs/2003.02065). Every anchor's label is
    λ p + (1 - λ) p' (eq. 8); its offset is the dominant component's (eq. 7,
    a tie goes to component 1).

    Args:
        positives: Which anchors count as positives where a head mines its
            negatives, as SSD does: ``'dominant'``, ``'any'`` or ``'factored'``;
            see :func:`mmmix.functional.boxmix_cls_losses`. Without effect in
            heads that sample (Faster R-CNN, from the anchors and RoIs that are
            positive in either component) or take everything (YOLOv3).

    Raises:
        ValueError: If ``positives`` is none of these.
    """

    def __init__(self, positives: str = 'dominant') -> None:
        self.positives = check_choice(
            'positives', positives, ('dominant', 'any', 'factored')
        )

    def mixed_loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None,
    ) -> Losses:
        """See :class:`Supervision`."""
        if boxmix_loss is None:
            raise TypeError(
                'BoxMix mixes the targets of anchors and this head has none to mix; '
                "use supervision=dict(type='LossMix')"
            )
        components = split_components(batch)
        if len(components) != 2:
            raise ValueError(
                f'BoxMix takes two components, got {len(components)}; use a mixer of '
                "pairs, or supervision=dict(type='LossMix')"
            )
        return boxmix_loss(components, self.positives)
