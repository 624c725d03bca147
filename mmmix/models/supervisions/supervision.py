"""What every supervision has in common, and how it meets a head.

A head gives a supervision two ways to compute its loss on predictions that it
has already made:

- ``stock_loss(gt_instances, metas, ignored)``: mmdet's own loss of the head. It
  honours ``component_weight`` in the metainfo (the image's factor) and
  ``box_weights`` in ``gt_instances`` (the factor of a box's positives), both
  applied before any reduction and without touching the normaliser.
- ``boxmix_loss(components, positives)``: one joint loss on the targets of two
  components. None where a detector has no anchors to mix.

So a supervision knows no detector, and a head knows no supervision.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor

from mmmix.mixing.supervision import build_supervision
from mmmix.structures import MIX_PARTNER, TRANSPORT, Annotations

__all__ = ['BoxMixLoss', 'Losses', 'StockLoss', 'Supervision', 'build_supervision']

Losses = dict[str, Tensor | list[Tensor]]
StockLoss = Callable[..., Losses]
BoxMixLoss = Callable[[list[Annotations], str], Losses]


class Supervision(ABC):
    """Turns the components of a mixed batch into a loss.

    Subclasses implement :meth:`mixed_loss`. A batch without a mixed image
    always gets the stock loss, bit for bit.

    Attributes:
        clips: Whether CutMix has to clip boxes to what is visible. A supervision
            that weighs by λ needs all boxes, because λ already stands for what is
            hidden; one that does not needs them clipped.
        blends: Whether it makes sense where images are blended.
    """

    clips: ClassVar[bool] = False
    blends: ClassVar[bool] = True

    def loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None = None,
    ) -> Losses:
        """Loss of a head on a batch, mixed or not.

        Args:
            batch: Union annotations of N images, with their mixing fields.
            stock_loss: The head's stock loss, see the module.
            boxmix_loss: The head's joint loss, see the module.

        Returns:
            Losses under the head's stock names.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, or the
                supervision does not fit the head or the mixer.
        """
        if not batch.mixed:
            return stock_loss(*batch)
        self._check_pairs(batch)
        return self.mixed_loss(batch, stock_loss, boxmix_loss)

    @abstractmethod
    def mixed_loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None,
    ) -> Losses:
        """Loss of a batch in which at least one image is mixed."""

    def _check_pairs(self, batch: Annotations) -> None:
        """Refuse images whose pixels were left unmixed."""
        for meta in batch.metas:
            if MIX_PARTNER in meta and TRANSPORT not in meta:
                raise ValueError(
                    'PairBatch left the pixels unmixed; wrap the detector in AlignMix, '
                    'which mixes features, or use MixBatch'
                )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __deepcopy__(self, memo: Any) -> Supervision:
        """Itself: nothing changes a supervision, and detectors copy their samples."""
        return self

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({settings})'
