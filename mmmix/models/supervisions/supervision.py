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

from mmmix.registry import SUPERVISIONS, build_from
from mmmix.structures import (
    MIX_BOXES,
    MIX_PARTNER,
    TRANSPORT,
    Annotations,
    is_mixed,
)

Losses = dict[str, Tensor | list[Tensor]]
StockLoss = Callable[..., Losses]
BoxMixLoss = Callable[[list[Annotations], str], Losses]


class Supervision(ABC):
    """Turns the components of a mixed batch into a loss.

    Subclasses implement :meth:`mixed_loss`. A batch without a mixed image
    always gets the stock loss, bit for bit.

    Attributes:
        takes: Which boxes it can supervise: those of blended images (None), those
            that CutMix kept as they were (``'keep'``), those that it clipped to
            what is visible (``'clip'``). A supervision that weighs by λ needs all
            boxes, because λ already stands for what is hidden; one that does not
            needs them clipped.
    """

    takes: ClassVar[tuple[str | None, ...]] = (None, 'keep')

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
        self._check_boxes(batch)
        return self.mixed_loss(batch, stock_loss, boxmix_loss)

    @abstractmethod
    def mixed_loss(
        self,
        batch: Annotations,
        stock_loss: StockLoss,
        boxmix_loss: BoxMixLoss | None,
    ) -> Losses:
        """Loss of a batch in which at least one image is mixed."""

    def _check_boxes(self, batch: Annotations) -> None:
        """Refuse boxes that this supervision would read wrongly.

        Raises:
            ValueError: Naming the mixer's setting that fits.
        """
        for meta in batch.metas:
            if MIX_PARTNER in meta and TRANSPORT not in meta:
                raise ValueError(
                    "MixBatch(mode='pair') left the pixels unmixed; wrap the detector "
                    "in AlignMix, which mixes features, or use mode='blend'"
                )
            boxes = meta.get(MIX_BOXES)
            if not is_mixed(meta) or boxes in self.takes:
                continue
            fits = next(filter(None, reversed(self.takes)))
            got = f"mode='cutmix', boxes={boxes!r}" if boxes else "mode='blend'"
            raise ValueError(
                f"{type(self).__name__} takes mode='cutmix' with boxes={fits!r}, got "
                f'samples of {got}; set that in MixBatch or MixImage, or choose '
                'another supervision'
            )

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({settings})'


def build_supervision(supervision: Any) -> Supervision:
    """Build a supervision from its config; None is ``Union``.

    Raises:
        TypeError, KeyError, ValueError: If the config is wrong.
    """
    if supervision is None:
        supervision = dict(type='Union')
    return build_from(SUPERVISIONS, supervision, 'supervision')
