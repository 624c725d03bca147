"""Pairing the samples of a batch for a detector that mixes features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from mmdet.registry import MODELS
from torch import Tensor

from mmmix.mixing.checks import check_choice
from mmmix.mixing.pair import Pair
from mmmix.mixing.settings import refuse_unknown
from mmmix.models.batch_augments.batch_mixer import BatchMixer

from .aligned_boxmix import AlignedBoxMix
from .fields import MIX_PARTNER, MIX_SIZES


@MODELS.register_module()
class PairBatch(BatchMixer):
    """Pair every sample of a batch with another one, for ``AlignMix``.

    Pixels are left alone, and the supervision is :class:`AlignedBoxMix`. A paired
    sample has the boxes, weights and ids of a mixed one, and in its metainfo
    ``mix_partner``, the index of component 1 in the batch, and ``mix_sizes``, the
    (height, width) of both images.

    Args:
        ratio: As :class:`BatchMixer`, and likewise all others.
        align: ``'corner'``, or ``'resize'`` when the pipeline gives all images one
            size: no image may be moved.
        prob: Likewise.
        fraction: Likewise.
        lam_per: Likewise.
        pairing: Likewise.
        **unknown: Refused.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range.
    """

    def __init__(
        self,
        ratio: dict,
        align: str = 'corner',
        prob: float = 1.0,
        fraction: float | None = None,
        lam_per: str = 'image',
        pairing: str = 'shuffle',
        **unknown: Any,
    ) -> None:
        refuse_unknown('PairBatch', unknown)
        super().__init__(
            ratio,
            AlignedBoxMix(),
            check_choice('align of PairBatch', align, ('corner', 'resize')),
            prob=prob,
            fraction=fraction,
            lam_per=lam_per,
            pairing=pairing,
        )

    def mix_pair(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not supported: features are mixed within one batch.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'PairBatch pairs samples within a batch, so that features can be mixed; '
            'use MixBatch to mix two batches'
        )

    def _pixels(self, inputs_a: Tensor, *args: Any) -> Tensor:
        return inputs_a

    def _fields(self, pair: Pair) -> dict[str, int | Sequence[tuple[int, int]]]:
        return {MIX_PARTNER: pair.partner, MIX_SIZES: pair.sizes}
