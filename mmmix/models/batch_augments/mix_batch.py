"""Mixing a stacked batch with a permutation of itself, on its device."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.dist import get_rank
from torch import Tensor, nn

from mmmix.mixing.counters import counter_rng, runner_counter
from mmmix.mixing.draws import (
    PAIRINGS,
    draw_centres,
    draw_chosen,
    draw_lam,
    draw_partners,
)
from mmmix.mixing.pair import Draws, Pair
from mmmix.mixing.settings import (
    MODES,
    MixerSettings,
    check_choice,
    check_unit,
)

from .mix_pixels import mix_pixels
from .mix_samples import check_samples, mix_sample

Samples = Sequence[DetDataSample]


@MODELS.register_module()
class MixBatch(nn.Module):
    """Mix every sample of a batch with another sample of the same batch.

    Goes into ``data_preprocessor.batch_augments``. No extra image is loaded,
    no dataset wrapper is needed and no worker restarts when mixing is switched.
    λ is drawn here, per pair, and only read afterwards: from
    ``metainfo['mix_weights']`` and ``gt_instances.mix_ids``. λ is the weight of
    the sample itself (component 0), 1 - λ that of its partner.

    The draw depends on (seed, rank, iteration, call) alone, so a resumed run
    goes on with the draws of an uninterrupted one. No parameters, no buffers.

    Args:
        ratio: Distribution of λ, e.g. ``dict(type='Beta', alpha=0.2)``.
        align: ``'center'`` (LossMix suppl. A), ``'corner'``, or ``'resize'``
            when the pipeline gives all images one size. No mixer rescales.
        pad: Colour of the canvas that an image does not cover: ``'mean'``,
            which is 0 after normalisation, or ``'black'``, which needs
            ``mean`` and ``std``.
        keep: ``'all'`` boxes of the pair, or those of the ``'dominant'``
            component only; then the sample counts as unmixed (the Noise
            baseline, LossMix suppl. B).
        prob: Probability that a sample is mixed.
        fraction: Mix exactly this share of the batch instead, rounded down.
        lam_per: One λ per ``'image'`` or one per ``'batch'``.
        pairing: ``'shuffle'``, ``'roll'`` or ``'reverse'``.
        mean: The preprocessor's mean per channel, for ``pad='black'``.
        std: The preprocessor's standard deviation per channel, likewise.
        mode: ``'blend'`` the pixels, or ``'cutmix'``: paste a region of the
            partner, of about a share 1 - λ of the canvas; λ becomes the exact
            share of what is left (CutMix suppl., alg. A1). ``'pair'`` leaves the
            pixels alone and records the partner as ``metainfo['mix_partner']``,
            for ``AlignMix``; it needs ``align='corner'`` or ``'resize'``.
        boxes: In ``mode='cutmix'``, ``'keep'`` all boxes as they are, for
            supervisions that weigh by λ, or ``'clip'`` them to what is visible
            and record its share as ``mix_visibility``, for ``Visible`` and
            ``Union``.
        min_visibility: A clipped box is dropped if less than this share of it is
            visible, or less than 4 pixels of a side are left.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range.

    Attributes:
        enabled: Whether it mixes; ``MixScheduleHook`` switches it.
        stream: Number of the mixer among several that are called in one
            iteration; those of different numbers draw independently.
    """

    def __init__(
        self,
        ratio: dict,
        align: str = 'center',
        pad: str = 'mean',
        keep: str = 'all',
        prob: float = 1.0,
        fraction: float | None = None,
        lam_per: str = 'image',
        pairing: str = 'shuffle',
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        mode: str = 'blend',
        boxes: str = 'keep',
        min_visibility: float = 0.25,
    ) -> None:
        super().__init__()
        self.settings = MixerSettings.build(
            ratio,
            align,
            pad,
            keep,
            prob,
            mode,
            boxes,
            min_visibility,
            modes=(*MODES, 'pair'),
        )
        if fraction is not None and prob != 1.0:
            raise ValueError(f'give prob or fraction, not both: {prob=}, {fraction=}')
        self.fraction = None if fraction is None else check_unit('fraction', fraction)
        self.lam_per = check_choice('lam_per', lam_per, ('image', 'batch'))
        self.pairing = check_choice('pairing', pairing, PAIRINGS)
        self.fill = None if pad == 'mean' else _normalised_black(mean, std)
        self.enabled = True
        self.stream = 0
        self._iter, self._calls = -1, 0
        self._warned = False

    def extra_repr(self) -> str:
        """All settings, for ``repr``."""
        fill = None if self.fill is None else self.fill.flatten().tolist()
        return (
            f'{self.settings}, fraction={self.fraction}, lam_per={self.lam_per!r}, '
            f'pairing={self.pairing!r}, fill={fill}'
        )

    def forward(self, inputs: Tensor, samples: Samples) -> tuple[Tensor, Samples]:
        """Mix a batch with itself.

        Args:
            inputs: ``(N, C, H, W)``, normalised, padded at the lower right.
            samples: N unmixed samples.

        Returns:
            A new batch of the same shape and N new samples; what came in is
            not changed. A batch of one is returned as it is, with a warning.

        Raises:
            ValueError: If a sample is already mixed, a box is inverted or
                outside its image, or sizes differ under ``align='resize'``.
            TypeError: If a sample holds what cannot be mixed.
        """
        if not self.enabled:
            return inputs, samples
        if len(samples) == 1:
            self._warn_batch_of_one()
            return inputs, samples
        rng = self._rng()
        partners = draw_partners(rng, len(samples), self.pairing)
        draws = self._draw(rng, len(samples))
        draws.chosen[partners == np.arange(len(samples))] = False
        return self._mix((inputs, samples), (inputs, samples), partners, draws)

    def mix_pair(
        self,
        inputs_a: Tensor,
        samples_a: Samples,
        inputs_b: Tensor,
        samples_b: Samples,
    ) -> tuple[Tensor, Samples]:
        """Mix sample i of one batch with sample i of another, of any canvas.

        Args:
            inputs_a: ``(N, C, H, W)``; λ is the weight of this batch.
            samples_a: Its N samples.
            inputs_b: ``(N, C, H', W')``.
            samples_b: Its N samples.

        Returns:
            A batch ``(N, C, max(H, H'), max(W, W'))`` and N samples.

        Raises:
            ValueError: If the batches differ in length, and as :meth:`forward`.
            TypeError: As :meth:`forward`.
        """
        size = len(samples_a)
        if size != len(samples_b):
            raise ValueError(
                'mix_pair expects two batches of one length, got '
                f'{size} and {len(samples_b)} samples'
            )
        if self.settings.pairs_only:
            raise ValueError(
                "MixBatch(mode='pair') pairs samples within a batch, so that features "
                "can be mixed; use mode='blend' to mix two batches"
            )
        if not self.enabled:
            return inputs_a, samples_a
        draws = self._draw(self._rng(), size)
        return self._mix(
            (inputs_a, samples_a), (inputs_b, samples_b), np.arange(size), draws
        )

    def _rng(self) -> np.random.Generator:
        """The generator of this call: (seed, rank, iteration, call, stream)."""
        iteration = runner_counter('iter')
        self._calls = self._calls + 1 if iteration == self._iter else 0
        self._iter = iteration
        counters = (runner_counter('seed'), get_rank(), iteration, self._calls)
        return counter_rng(*counters, *([self.stream] if self.stream else []))

    def _draw(self, rng: np.random.Generator, size: int) -> Draws:
        """All draws of a batch but its partners."""
        count = size if self.lam_per == 'image' else 1
        lam = draw_lam(rng, count, self.settings.ratio)
        chosen = draw_chosen(rng, size, self.settings.prob, self.fraction)
        centres = [None] * size
        if self.settings.cuts:
            centres = np.broadcast_to(draw_centres(rng, count), (size, 2)).tolist()
        return Draws(np.broadcast_to(lam, size), chosen, centres)

    def _mix(
        self,
        batch_a: tuple[Tensor, Samples],
        batch_b: tuple[Tensor, Samples],
        partners: np.ndarray,
        draws: Draws,
    ) -> tuple[Tensor, Samples]:
        """Mix the chosen samples of batch a with their partners of batch b."""
        (inputs_a, samples_a), (inputs_b, samples_b) = batch_a, batch_b
        sizes_a = check_samples(samples_a)
        sizes_b = sizes_a if samples_b is samples_a else check_samples(samples_b)
        pairs = [
            Pair.build(
                i,
                j,
                float(draws.lam[i]),
                (sizes_a[i], sizes_b[j]),
                self.settings.align,
                draws.centres[i],
            )
            for i, j in ((int(i), int(partners[i])) for i in draws.chosen.nonzero()[0])
        ]
        inputs = inputs_a
        if not self.settings.pairs_only:
            inputs = mix_pixels(inputs_a, inputs_b, pairs, self.fill)
        samples = list(samples_a)
        for pair in pairs:
            samples[pair.index] = mix_sample(
                samples_a[pair.index],
                samples_b[pair.partner],
                pair,
                self.settings,
            )
        if inputs.shape[2:] != inputs_a.shape[2:]:
            samples = [sample.new() for sample in samples]
            for sample in samples:
                sample.set_metainfo({'batch_input_shape': tuple(inputs.shape[2:])})
        return inputs, samples

    def _warn_batch_of_one(self) -> None:
        if not self._warned:
            warnings.warn(
                'MixBatch got a batch of one image and cannot mix it. Raise '
                'train_dataloader.batch_size, or mix in the dataset with MixImage.',
                stacklevel=2,
            )
            self._warned = True


def _normalised_black(
    mean: Sequence[float] | None, std: Sequence[float] | None
) -> Tensor:
    """Black after (x - mean) / std, shape ``(C, 1, 1)``."""
    if mean is None or std is None:
        raise ValueError(
            "MixBatch(pad='black') blends normalised images and needs mean=[...] and "
            'std=[...] of the data_preprocessor'
        )
    return (-torch.tensor(mean).float() / torch.tensor(std).float()).view(-1, 1, 1)
