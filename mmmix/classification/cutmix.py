"""CutMix of a batch of labelled images, as the supplement of the paper has it."""

from __future__ import annotations

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmmix.functional.cutting import cut_region, own_share
from mmmix.mixing.checks import check_choice
from mmmix.mixing.counters import CallCounter, Stream
from mmmix.mixing.draws import PAIRINGS, draw_centres, draw_lam, draw_partners
from mmmix.mixing.ratios import build_ratio


@BATCH_AUGMENTS.register_module()
class ClsCutMixBatch:
    """Pastes a region of each image's partner into it (CutMix suppl., alg. A1).

    One λ ~ U(0, 1) and one region for the whole batch, whose partners are the batch
    shuffled. The region's middle is uniform over the image, its edges are rounded, and
    labels are weighed by the exact share of the pixels, so that

        y = λ y_own + (1 - λ) y_partner,  λ = 1 - area of the region / area of the image

    mmpretrain's ``CutMix`` truncates: its regions have even sides, up to two pixels
    shorter than drawn and never a pixel of the last row where the middle is, so small
    images (CIFAR) keep a larger share of themselves. It also draws from NumPy's global
    generator; this draws from counters, so that a resumed run goes on alike.

    Use it where mmpretrain takes batch augmentations::

        model = dict(
            train_cfg=dict(augments=[dict(type='ClsCutMixBatch')], probs=[0.5]))

    Args:
        ratio: Distribution of λ before the region is clipped to the image.
        pairing: ``'permutation'``, as alg. A1 l. 4, where an image may meet itself, or
            another of :data:`mmmix.mixing.draws.PAIRINGS`.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range.
    """

    def __init__(self, ratio: dict | None = None, pairing: str = 'permutation') -> None:
        self.ratio = build_ratio(dict(type='Uniform') if ratio is None else ratio)
        self.pairing = check_choice('pairing', pairing, PAIRINGS)
        self._draws = CallCounter(Stream.CLASS_CUTMIX)

    def __call__(self, inputs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Mix a batch with itself.

        Args:
            inputs: ``(N, C, H, W)``.
            scores: ``(N, classes)``, the label of each image as weights of sum 1.

        Returns:
            New tensors of the same shapes; what came in is not changed.

        Raises:
            ValueError: If the labels are no weights of classes.
        """
        if scores.dim() != 2 or len(scores) != len(inputs):
            raise ValueError(
                f'scores must be (N, classes) for {len(inputs)} images, got '
                f'{tuple(scores.shape)}; the preprocessor makes them of labels'
            )
        rng, canvas = self._draws.rng(), tuple(inputs.shape[2:])
        partners = torch.from_numpy(draw_partners(rng, len(inputs), self.pairing))
        partners = partners.to(inputs.device)
        lam = float(draw_lam(rng, 1, self.ratio)[0])
        region = cut_region(lam, tuple(draw_centres(rng, 1)[0]), canvas)
        rows, columns = (
            slice(region.top, region.bottom),
            slice(region.left, region.right),
        )
        mixed = inputs.clone()
        mixed[:, :, rows, columns] = inputs[partners, :, rows, columns]
        scores = scores.float()
        return mixed, torch.lerp(scores[partners], scores, own_share(region, canvas))
