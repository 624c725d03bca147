"""What all mixers of single images share."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmmix.functional import blend, paste, place
from mmmix.mixing.checks import check_channels
from mmmix.mixing.counters import counter_rng
from mmmix.mixing.draws import draw_lam
from mmmix.mixing.pair import Pair
from mmmix.mixing.pass_counter import PassCounter
from mmmix.mixing.phrases import check_same_phrases
from mmmix.mixing.settings import MixerSettings, refuse_unknown
from mmmix.structures import (
    MIX_SUPERVISION,
    MIX_WEIGHTS,
    check_mix_weights,
    dominant_component,
)

from .mix_annotations import check_mixable, inside_only, union_of
from .packing import GT_MIX_IDS


class ImageMixer(BaseTransform):
    """Mixes an image with another one of the dataset.

    Belongs into the pipeline of ``MultiImageMixDataset``, after everything that
    moves or drops boxes, and is followed by ``PackMixInputs``. It does what the
    mixer of batches of its kind does, one image at a time and before normalisation.
    Images may have one, two, three or more channels.

    The partner is drawn from all images; one that draws itself stays unmixed.

    It stamps every image with its supervision, mixed or not, switched on or off: its
    workers run ahead of the switch.

    The draw depends on (seed, rank, worker, epoch, call, image) alone, see
    :class:`mmmix.mixing.pass_counter.PassCounter`.

    Args:
        ratio: Distribution of λ, the weight of the image itself.
        supervision: How heads turn the mixed images into a loss; None for ``Union``.
        align: ``'center'``, ``'corner'`` or ``'resize'``; see ``MixBatch``.
        pad: Colour of the uncovered canvas: ``'mean'``, which needs ``mean``
            unless ``align='resize'``, or ``'black'``.
        keep: ``'all'`` boxes or the ``'dominant'`` component's; see ``MixBatch``.
        prob: Probability that an image is mixed; otherwise no partner is loaded.
        mean: The preprocessor's mean, a number per channel or one for all; for
            ``pad='mean'`` only.
        bgr_to_rgb: The preprocessor's ``bgr_to_rgb``: whether ``mean`` of three
            channels is in RGB order while images are loaded as BGR.
        min_visibility: Of a mixer that cuts, see there.
        **unknown: Refused.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range, or
            the supervision does not fit the mixer.

    Attributes:
        cuts: Whether a region is pasted.
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
        mean: Sequence[float] | None = None,
        bgr_to_rgb: bool = True,
        min_visibility: float | None = None,
        **unknown: Any,
    ) -> None:
        name = type(self).__name__
        if min_visibility is not None and not self.cuts:
            unknown['min_visibility'] = min_visibility
        refuse_unknown(name, unknown)
        self.settings = MixerSettings.build(
            ratio, supervision, align, pad, keep, prob, min_visibility, self.cuts
        )
        if pad == 'mean' and align != 'resize' and mean is None:
            raise ValueError(
                f"{name}(pad='mean') works on images that are not normalised yet and "
                'needs mean=[...] and bgr_to_rgb of the data_preprocessor; or use '
                "pad='black'"
            )
        if pad == 'black' and mean is not None:
            raise ValueError(
                f"{name}(pad='black') pads with 0 before normalisation and does not "
                "read mean; leave it out, or write pad='mean'"
            )
        colour = [0.0] if mean is None else check_channels(f'{name}.mean', mean)
        # The preprocessor, too, turns round images of three channels only.
        turned = colour[::-1] if bgr_to_rgb and len(colour) == 3 else colour
        self.fill = torch.tensor(turned)
        self.counter = PassCounter()
        # In memory that persistent workers see change.
        self._enabled = torch.ones(1, dtype=torch.bool).share_memory_()

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.settings}, fill={self.fill.tolist()})'

    @property
    def supervision(self) -> Any:
        """How heads turn the mixed samples into a loss."""
        return self.settings.supervision

    @property
    def enabled(self) -> bool:
        """Whether it mixes; ``MixScheduleHook`` switches it in all workers."""
        return bool(self._enabled[0])

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled[0] = bool(enabled)

    def set_epoch(self, epoch: int) -> None:
        """Tell all workers the epoch, one of the counters of the draw."""
        self.counter.set_epoch(epoch)

    def get_indexes(self, dataset: Any) -> list[int]:
        """Draw the partner; called by ``MultiImageMixDataset``.

        Args:
            dataset: The wrapped dataset.

        Returns:
            One index, or none if this image stays unmixed.
        """
        self.counter.advance()
        rng = counter_rng(*self.counter.counters(), len(dataset))
        if not self.enabled or rng.random() >= self.settings.prob:
            return []
        return [int(rng.integers(len(dataset)))]

    def transform(self, results: dict) -> dict:
        """Mix ``results`` with its partner in ``results['mix_results']``.

        Returns:
            A dict with ``img``, ``img_shape``, ``gt_bboxes``,
            ``gt_bboxes_labels``, ``gt_ignore_flags``, ``gt_masks`` of the mixed
            image, plus ``gt_mix_ids`` and ``mix_weights`` and, of clipped boxes,
            ``gt_mix_visibility``. An image whose partner is itself stays unmixed.
            All of them have ``mix_supervision``.

        Raises:
            ValueError: Outside ``MultiImageMixDataset``, for an image that has met a
                mixer, and as ``MixBatch``.
            TypeError: If there is an annotation that cannot be mixed.
        """
        if 'mix_results' not in results:
            name = type(self).__name__
            raise ValueError(
                f'{name} found no mix_results: it needs a partner image. Wrap the '
                "dataset as dict(type='MultiImageMixDataset', dataset=..., "
                f'pipeline=[dict(type="{name}", ...), dict(type="PackMixInputs")])'
            )
        for item in (results, *results['mix_results']):
            check_mixable(item)
        other = next(iter(results['mix_results']), None)
        if other is None or results.get('img_path', 0) == other.get('img_path', 1):
            return results | {MIX_SUPERVISION: self.supervision}
        rng = counter_rng(*self.counter.counters(), *_image_counters(results))
        lam = float(draw_lam(rng, 1, self.settings.ratio)[0])
        return self.mix(results, other, lam, *self._centre(rng))

    def _centre(self, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
        """The middle of the region to paste, of a mixer that cuts; else nothing."""
        return ()

    def mix(
        self,
        results: dict,
        other: dict,
        lam: float,
        centre: tuple[float, float] | None = None,
    ) -> dict:
        """Mix two loaded images.

        Args:
            results: Component 0.
            other: Component 1.
            lam: λ in [0, 1], the weight of component 0.
            centre: (y, x) of the middle of what is pasted, in [0, 1] of the canvas;
                None to blend.

        Returns:
            As :meth:`transform`.
        """
        check_same_phrases(results, other)
        items = inside_only((results, other))
        sizes = tuple(tuple(item['img'].shape[:2]) for item in items)
        pair = Pair.build(0, 1, lam, sizes, self.settings.align, centre)
        weights = check_mix_weights((pair.lam, 1.0 - pair.lam))
        components = [0, 1]
        if self.settings.keep == 'dominant':
            components = [dominant_component(weights)]
        mixed = {key: value for key, value in results.items() if key != 'mix_results'}
        mixed['img'] = self._image(items, pair)
        mixed['img_shape'] = pair.canvas
        union, counts = union_of(items, components, pair, self.settings)
        mixed.update(union)
        mixed[MIX_SUPERVISION] = self.settings.supervision
        if self.settings.keep == 'all':
            mixed[MIX_WEIGHTS] = weights
            mixed[GT_MIX_IDS] = np.repeat(components, counts)
        return mixed

    def _image(self, items: Sequence[dict], pair: Pair) -> np.ndarray:
        """The mixed image, float32, with a channel axis if component 0 has one."""
        planes = [_planes(item['img']) for item in items]
        if len({len(image) for image in planes}) > 1:
            names = ' and '.join(str(item.get('img_path')) for item in items)
            raise ValueError(
                f'{names} have {" and ".join(str(len(image)) for image in planes)} '
                'channels and cannot be mixed; load all images with one color_type'
            )
        fill = self.fill.view(-1, 1, 1)
        layers = [
            place(image, pair.canvas, offset, fill)
            for image, offset in zip(planes, pair.offsets)
        ]
        if pair.region is None:
            image = blend(*layers, pair.lam)
        else:
            image = paste(*layers, pair.region)
        array = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        return array[..., 0] if items[0]['img'].ndim == 2 else array


def _planes(image: np.ndarray) -> Tensor:
    """An image ``(h, w)`` or ``(h, w, C)`` as ``(C, h, w)`` float32."""
    planes = torch.from_numpy(image.astype(np.float32))
    return planes[None] if planes.dim() == 2 else planes.permute(2, 0, 1)


def _image_counters(results: dict) -> tuple[int, int]:
    """Numbers that tell this image from all others, also of another dataset."""
    name = str(results.get('img_id', '')).encode()
    return int(results.get('sample_idx', 0)), zlib.crc32(name)
