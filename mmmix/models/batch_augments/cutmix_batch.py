"""CutMix within a stacked batch, on its device."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmdet.registry import MODELS

from mmmix.functional import unrounded_share
from mmmix.mixing.draws import draw_centres
from mmmix.mixing.pair import Pair

from .batch_mixer import BatchMixer


@MODELS.register_module()
class CutMixBatch(BatchMixer):
    """Paste into every sample of a batch a region of another one (CutMix, alg. A1).

    "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features" (https://arxiv.org/abs/1905.04899). The region is a share of about
    1 - λ of the canvas; λ, the weight of the sample itself, becomes the exact share
    of what is left.

    What happens to boxes follows from the supervision. One that weighs by λ
    (``LossMix``, ``BoxMix``, ``WeightedUnion``) needs all boxes as they are, because
    λ already stands for what is hidden. ``Visible`` and ``Union`` need them clipped
    to what is visible, whose share is recorded as ``gt_instances.mix_visibility``.

    With ``lam_per='batch'`` all images get one λ and, as in the official code, one
    region, where their canvases have one size. Where they do not, each canvas has
    the region at the same place of its own, and the shared λ is the region's share
    before it is rounded to pixels.

    Args:
        ratio: Distribution of λ; the paper's is ``dict(type='Uniform')``.
        supervision: See above; None for ``Union``.
        min_visibility: A clipped box is dropped if less than this share of it is
            visible, or less than 4 pixels of a side are left; 0.25 if None. Refused
            where boxes are not clipped. Of boxes to ignore all that is visible stays.
        **settings: As :class:`BatchMixer`.

    Raises:
        TypeError, ValueError, KeyError: As :class:`BatchMixer`.
    """

    cuts = True

    def _centres(
        self, rng: np.random.Generator, count: int, size: int
    ) -> list[list[float] | None]:
        return np.broadcast_to(draw_centres(rng, count), (size, 2)).tolist()

    def _pairs(self, draws: Any, *batch: Any) -> list[Pair]:
        """The chosen pairs; one λ for all of them where it is per batch."""
        pairs = super()._pairs(draws, *batch)
        if self.lam_per == 'image' or len({pair.canvas for pair in pairs}) < 2:
            return pairs
        lam = unrounded_share(float(draws.lam[0]), draws.centres[0])
        return [pair._replace(lam=lam) for pair in pairs]
