"""CutMix in the dataset, for a batch of one or a pipeline of one's own."""

from __future__ import annotations

import numpy as np
from mmdet.registry import TRANSFORMS

from mmmix.mixing.draws import draw_centres

from .image_mixer import ImageMixer


@TRANSFORMS.register_module()
class CutMixImage(ImageMixer):
    """Paste into an image a region of another one, as ``CutMixBatch`` does.

    Whether boxes are kept or clipped follows from the supervision, see there.

    Args:
        ratio: Distribution of λ; the paper's is ``dict(type='Uniform')``.
        supervision: How heads turn the mixed images into a loss; None for ``Union``.
        min_visibility: Smallest visible share of a clipped box; 0.25 if None. Refused
            where boxes are not clipped. Of boxes to ignore all that is visible stays.
        **settings: As :class:`ImageMixer`.

    Raises:
        TypeError, ValueError, KeyError: As :class:`ImageMixer`.
    """

    cuts = True

    def _centre(self, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
        return (tuple(draw_centres(rng, 1)[0].tolist()),)

    def mix(
        self,
        results: dict,
        other: dict,
        lam: float,
        centre: tuple[float, float] = (0.5, 0.5),
    ) -> dict:
        """As :meth:`ImageMixer.mix`, with a middle of the region."""
        return super().mix(results, other, lam, centre)
