"""BoxMix for pairs whose features are mixed instead of their pixels."""

from __future__ import annotations

from mmmix.models.supervisions import BoxMix
from mmmix.structures import LOSS_FACTORS, Annotations

from .fields import MIX_PARTNER, TRANSPORT


class AlignedBoxMix(BoxMix):
    """``BoxMix`` where component 1's labels travel; ``PairBatch`` stamps it.

    Features are mixed on component 0's grid, so it is regressed at every λ.
    """

    def parts(self, batch: Annotations) -> list[Annotations]:
        """Both components; component 0 of an aligned pair is regressed.

        Raises:
            ValueError: If a pair's features were not aligned.
        """
        for meta in batch.metas:
            if MIX_PARTNER in meta and TRANSPORT not in meta:
                raise ValueError(
                    'PairBatch left the pixels unmixed; wrap the detector in '
                    'AlignMix, which mixes features, or use MixBatch'
                )
        parts = super().parts(batch)
        return [
            part.with_factors(
                [
                    meta[LOSS_FACTORS]._replace(reg=float(k == 0))
                    if TRANSPORT in meta
                    else meta[LOSS_FACTORS]
                    for meta in part.metas
                ]
            )
            for k, part in enumerate(parts)
        ]
