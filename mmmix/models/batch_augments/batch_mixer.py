"""What all mixers of a stacked batch share."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from mmdet.structures import DetDataSample
from torch import Tensor, nn

from mmmix.mixing.checks import check_choice, check_unit
from mmmix.mixing.counters import CallCounter
from mmmix.mixing.draws import PAIRINGS, draw_chosen, draw_lam, draw_partners
from mmmix.mixing.pair import Draws, Pair, Size
from mmmix.mixing.settings import MixerSettings, refuse_unknown
from mmmix.mixing.untraced import untraced

from .canvas_fill import canvas_fill
from .mix_pixels import mix_pixels
from .mix_samples import check_samples, image_sizes, in_frame, mix_samples, stamped

Samples = Sequence[DetDataSample]

RECENT = 16
"""How many calls a mixer remembers."""


class BatchMixer(nn.Module):
    """Mixes samples of a batch with samples of the same or of another batch.

    While it is on, it stamps every sample of the batch, mixed or not, with its
    supervision (``metainfo['mix_supervision']``), so that all processes of a
    distributed run make the same passes, whatever each of them drew.

    The draw depends on (seed, rank, iteration, call) alone, so a resumed run
    goes on with the draws of an uninterrupted one. No parameters, no buffers.

    Args:
        ratio: Distribution of λ, e.g. ``dict(type='Beta', alpha=0.2)``.
        supervision: How heads turn the mixed samples into a loss, e.g.
            ``dict(type='LossMix')``; None for ``Union``.
        align: ``'center'`` (LossMix suppl. A), ``'corner'``, or ``'resize'``
            when the pipeline gives all images one size. No mixer rescales.
        pad: Colour of the canvas that an image does not cover: ``'mean'``,
            which is 0 after normalisation, or ``'black'``, which needs
            ``mean`` and ``std``.
        keep: ``'all'`` boxes of the pair, or those of the ``'dominant'``
            component only; then the sample counts as unmixed (the Noise
            baseline, LossMix suppl. B) and needs ``Union``.
        prob: Probability that a sample is mixed.
        fraction: Mix exactly this share of the batch instead, rounded down.
        lam_per: One λ per ``'image'`` or one per ``'batch'``.
        pairing: ``'shuffle'``, ``'permutation'`` (with fixed points, which stay
            unmixed), ``'roll'`` or ``'reverse'``.
        mean: The preprocessor's mean per channel, for ``pad='black'`` only.
        std: The preprocessor's standard deviation per channel, likewise.
        min_visibility: Of a mixer that cuts, see there.
        **unknown: Refused.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range, or
            the supervision does not fit the mixer.

    Attributes:
        cuts: Whether a region is pasted.
        enabled: Whether it mixes; ``MixScheduleHook`` switches it.
        counter: Gives its generators; mixers that are called in one iteration have
            different streams and draw independently.
        recent: What its last calls did: the number of samples, and λ of those that
            were mixed. Who reads them may remove them.
    """

    cuts: ClassVar[bool] = False

    def __init__(
        self,
        ratio: dict,
        supervision: Any = None,
        align: str = 'center',
        pad: str = 'mean',
        keep: str = 'all',
        prob: float = 1.0,
        fraction: float | None = None,
        lam_per: str = 'image',
        pairing: str = 'shuffle',
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        min_visibility: float | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__()
        if min_visibility is not None and not self.cuts:
            unknown['min_visibility'] = min_visibility
        refuse_unknown(type(self).__name__, unknown)
        self.settings = MixerSettings.build(
            ratio, supervision, align, pad, keep, prob, min_visibility, self.cuts
        )
        if fraction is not None and prob != 1.0:
            raise ValueError(f'give prob or fraction, not both: {prob=}, {fraction=}')
        self.fraction = None if fraction is None else check_unit('fraction', fraction)
        self.lam_per = check_choice('lam_per', lam_per, ('image', 'batch'))
        self.pairing = check_choice('pairing', pairing, PAIRINGS)
        self.fill = canvas_fill(type(self).__name__, pad, mean, std)
        self.enabled = True
        self.counter = CallCounter()
        self.recent: deque[tuple[int, list[float]]] = deque(maxlen=RECENT)
        self._warned: set[str] = set()

    @property
    def supervision(self) -> Any:
        """How heads turn the mixed samples into a loss."""
        return self.settings.supervision

    def extra_repr(self) -> str:
        """All settings, for ``repr``."""
        fill = None if self.fill is None else self.fill.flatten().tolist()
        return (
            f'{self.settings}, fraction={self.fraction}, lam_per={self.lam_per!r}, '
            f'pairing={self.pairing!r}, fill={fill}'
        )

    @untraced
    def forward(self, inputs: Tensor, samples: Samples) -> tuple[Tensor, Samples]:
        """Mix a batch with itself.

        Args:
            inputs: ``(N, C, H, W)``, normalised, padded at the lower right.
            samples: N samples that met no mixer yet.

        Returns:
            A new batch of the same shape and N new samples, all of them stamped;
            what came in is not changed. A batch of one is not mixed, with a warning.

        Raises:
            ValueError: If a sample has met a mixer, a box is inverted or not
                finite, or sizes differ under ``align='resize'``.
            TypeError: If a sample holds what cannot be mixed.
        """
        if not self.enabled:
            return inputs, samples
        if len(samples) == 1:
            self._warn_once(
                'got a batch of one image and cannot mix it. Raise '
                'train_dataloader.batch_size, or mix in the dataset with MixImage.'
            )
            return inputs, [stamped(samples[0], self.supervision)]
        rng = self.counter.rng()
        partners = draw_partners(rng, len(samples), self.pairing)
        draws = self._draw(rng, len(samples))
        draws.chosen[partners == np.arange(len(samples))] = False
        return self._mix((inputs, samples), (inputs, samples), partners, draws)

    @untraced
    def mix_pair(
        self,
        inputs_a: Tensor,
        samples_a: Samples,
        inputs_b: Tensor,
        samples_b: Samples,
        pad_value: float = 0.0,
    ) -> tuple[Tensor, Samples]:
        """Mix sample i of one batch with sample i of another, of any canvas.

        Args:
            inputs_a: ``(N, C, H, W)``; λ is the weight of this batch.
            samples_a: Its N samples.
            inputs_b: ``(N, C, H', W')``.
            samples_b: Its N samples.
            pad_value: The preprocessor's, which padded both batches.

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
        if not self.enabled:
            return inputs_a, samples_a
        draws = self._draw(self.counter.rng(), size)
        batches = (inputs_a, samples_a), (inputs_b, samples_b)
        return self._mix(*batches, np.arange(size), draws, pad_value)

    def _draw(self, rng: np.random.Generator, size: int) -> Draws:
        """All draws of a batch but its partners."""
        count = size if self.lam_per == 'image' else 1
        lam = draw_lam(rng, count, self.settings.ratio)
        chosen = draw_chosen(rng, size, self.settings.prob, self.fraction)
        if self.fraction and not chosen.any():
            self._warn_once(
                f'mixes none of {size} images: fraction={self.fraction:g} of them is '
                'less than one. Raise fraction or train_dataloader.batch_size.'
            )
        return Draws(
            np.broadcast_to(lam, size), chosen, self._centres(rng, count, size)
        )

    def _centres(
        self, rng: np.random.Generator, count: int, size: int
    ) -> list[list[float] | None]:
        """Middles of the regions to paste, ``count`` of them drawn for ``size``."""
        return [None] * size

    def _pairs(
        self,
        draws: Draws,
        partners: np.ndarray,
        sizes_a: Sequence[Size],
        sizes_b: Sequence[Size],
    ) -> list[Pair]:
        """The chosen samples with their partners."""
        return [
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

    def _pixels(
        self, inputs_a: Tensor, inputs_b: Tensor, pairs: list[Pair], pad_value: float
    ) -> Tensor:
        """The images of batch a, those of the pairs mixed."""
        return mix_pixels(inputs_a, inputs_b, pairs, self.fill, pad_value)

    def _fields(self, pair: Pair) -> dict[str, Any]:
        """Metainfo of a mixed sample beside what all mixers write."""
        return {}

    def _mix(
        self,
        batch_a: tuple[Tensor, Samples],
        batch_b: tuple[Tensor, Samples],
        partners: np.ndarray,
        draws: Draws,
        pad_value: float = 0.0,
    ) -> tuple[Tensor, Samples]:
        """Mix the chosen samples of batch a with their partners of batch b."""
        (inputs_a, samples_a), (inputs_b, samples_b) = batch_a, batch_b
        clean_a = check_samples(samples_a)
        clean_b = clean_a if samples_b is samples_a else check_samples(samples_b)
        sizes = image_sizes(samples_a), image_sizes(samples_b)
        pairs = self._pairs(draws, partners, *sizes)
        self.recent.append((len(samples_a), [pair.lam for pair in pairs]))
        inputs = self._pixels(inputs_a, inputs_b, pairs, pad_value)
        samples = [stamped(sample, self.supervision) for sample in samples_a]
        fields = [self._fields(pair) for pair in pairs]
        mixed = mix_samples(clean_a, clean_b, pairs, self.settings, fields)
        for pair, sample in zip(pairs, mixed):
            samples[pair.index] = sample
        if inputs.shape[2:] != inputs_a.shape[2:]:
            frame = tuple(inputs.shape[2:])
            samples = [in_frame(sample, frame) for sample in samples]
        return inputs, samples

    def _warn_once(self, text: str) -> None:
        """Warn of what keeps it from mixing; of each thing once."""
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(f'{type(self).__name__} {text}', stacklevel=3)
