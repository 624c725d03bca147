"""Mixing in the dataset, for a batch of one or a pipeline of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.dist import get_rank
from torch import Tensor
from torch.utils.data import get_worker_info

from mmmix.functional import (
    blend,
    check_boxes,
    common_canvas,
    cut_region,
    own_share,
    paste,
    place,
)
from mmmix.mixing.counters import counter_rng, runner_counter
from mmmix.mixing.draws import draw_centres, draw_lam
from mmmix.mixing.settings import MixerSettings
from mmmix.structures import MIX_BOXES, MIX_WEIGHTS, dominant_component

from .mix_annotations import check_mixable, placed_annotations, union_of
from .packing import GT_MIX_IDS


@TRANSFORMS.register_module()
class MixImage(BaseTransform):
    """Mix an image with another one of the dataset.

    Belongs into the pipeline of ``MultiImageMixDataset``, after everything that
    moves or drops boxes, and is followed by ``PackMixInputs``. It does what
    ``MixBatch`` does, one image at a time and before normalisation; the result
    is a float32 image, because rounding to integers would bias the blend.

    The draw depends on (seed, rank, worker, epoch, index, call) alone.

    Args:
        ratio: Distribution of λ, the weight of the image itself.
        align: ``'center'``, ``'corner'`` or ``'resize'``; see ``MixBatch``.
        pad: Colour of the uncovered canvas: ``'mean'``, which needs ``mean``
            unless ``align='resize'``, or ``'black'``.
        keep: ``'all'`` boxes or the ``'dominant'`` component's; see ``MixBatch``.
        prob: Probability that an image is mixed; otherwise no partner is loaded.
        mean: The preprocessor's mean per channel.
        bgr_to_rgb: The preprocessor's ``bgr_to_rgb``: whether ``mean`` is in
            RGB order while images are loaded as BGR.
        mode: ``'blend'`` or ``'cutmix'``; see ``MixBatch``.
        boxes: ``'keep'`` or ``'clip'``; see ``MixBatch``.
        min_visibility: Smallest visible share of a clipped box; see ``MixBatch``.

    Raises:
        TypeError, ValueError, KeyError: If a setting is unknown or out of range.
    """

    def __init__(
        self,
        ratio: dict,
        align: str = 'center',
        pad: str = 'mean',
        keep: str = 'all',
        prob: float = 1.0,
        mean: Sequence[float] | None = None,
        bgr_to_rgb: bool = True,
        mode: str = 'blend',
        boxes: str = 'keep',
        min_visibility: float = 0.25,
    ) -> None:
        self.settings = MixerSettings.build(
            ratio, align, pad, keep, prob, mode, boxes, min_visibility
        )
        if pad == 'mean' and align != 'resize' and mean is None:
            raise ValueError(
                "MixImage(pad='mean') works on images that are not normalised yet and "
                'needs mean=[...] and bgr_to_rgb of the data_preprocessor; or use '
                "pad='black'"
            )
        channels = [0.0] * 3 if pad == 'black' or mean is None else list(mean)
        self.fill = torch.tensor(channels[::-1] if bgr_to_rgb else channels)
        # (enabled, epoch), in memory that persistent workers see change.
        self._shared = torch.tensor([1, 0]).share_memory_()
        self._epoch, self._calls = -1, 0

    def __repr__(self) -> str:
        return f'MixImage({self.settings}, fill={self.fill.tolist()})'

    @property
    def enabled(self) -> bool:
        """Whether it mixes; ``MixScheduleHook`` switches it in all workers."""
        return bool(self._shared[0])

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._shared[0] = int(enabled)

    def set_epoch(self, epoch: int) -> None:
        """Tell all workers the epoch, one of the counters of the draw."""
        self._shared[1] = epoch

    def get_indexes(self, dataset: Any) -> list[int]:
        """Draw the partner; called by ``MultiImageMixDataset``.

        Args:
            dataset: The wrapped dataset.

        Returns:
            One index, or none if this image stays unmixed.
        """
        epoch = int(self._shared[1])
        self._calls = self._calls + 1 if epoch == self._epoch else 0
        self._epoch = epoch
        rng = self._rng()
        if not self.enabled or rng.random() >= self.settings.prob:
            return []
        return [int(rng.integers(len(dataset)))]

    def transform(self, results: dict) -> dict:
        """Mix ``results`` with its partner in ``results['mix_results']``.

        Returns:
            A dict with ``img``, ``img_shape``, ``gt_bboxes``,
            ``gt_bboxes_labels``, ``gt_ignore_flags``, ``gt_masks`` of the mixed
            image, plus ``gt_mix_ids`` and ``mix_weights``, of CutMix also
            ``mix_boxes`` and, of clipped boxes, ``gt_mix_visibility``. An image
            whose partner is itself stays unmixed.

        Raises:
            ValueError: Outside ``MultiImageMixDataset``, for an image that is
                already mixed, and as ``MixBatch``.
            TypeError: If there is an annotation that cannot be mixed.
        """
        if 'mix_results' not in results:
            raise ValueError(
                'MixImage found no mix_results: it needs a partner image. Wrap the '
                "dataset as dict(type='MultiImageMixDataset', dataset=..., "
                'pipeline=[dict(type="MixImage", ...), dict(type="PackMixInputs")])'
            )
        for item in (results, *results['mix_results']):
            check_mixable(item)
        if not results['mix_results']:
            return results
        other = results['mix_results'][0]
        if results.get('img_path', results) == other.get('img_path', other):
            return results
        rng = self._rng(results.get('sample_idx', 0))
        lam = float(draw_lam(rng, 1, self.settings.ratio)[0])
        if not self.settings.cuts:
            return self.mix(results, other, lam)
        return self.mix(results, other, lam, tuple(draw_centres(rng, 1)[0].tolist()))

    def mix(
        self,
        results: dict,
        other: dict,
        lam: float,
        centre: tuple[float, float] = (0.5, 0.5),
    ) -> dict:
        """Mix two loaded images.

        Args:
            results: Component 0.
            other: Component 1.
            lam: λ in [0, 1], the weight of component 0.
            centre: (y, x) of the middle of what CutMix pastes, in [0, 1] of the
                canvas; without effect in ``mode='blend'``.

        Returns:
            As :meth:`transform`.
        """
        pair = (results, other)
        sizes = [tuple(item['img'].shape[:2]) for item in pair]
        boxes = [item['gt_bboxes'] for item in pair]
        check_boxes(boxes, sizes, [str(item.get('img_path')) for item in pair])
        canvas, offsets = common_canvas(*sizes, self.settings.align)
        region = None
        if self.settings.cuts:
            region = cut_region(lam, centre, canvas)
            lam = own_share(region, canvas)
        weights = (lam, 1.0 - lam)
        components = [0, 1]
        if self.settings.keep == 'dominant':
            components = [dominant_component(weights)]
        placed = [
            placed_annotations(pair[k], k, offsets[k], canvas, region, self.settings)
            for k in components
        ]
        mixed = {key: value for key, value in results.items() if key != 'mix_results'}
        layers = [
            self._layer(item['img'], canvas, offset)
            for item, offset in zip(pair, offsets)
        ]
        image = blend(*layers, lam) if region is None else paste(*layers, region)
        mixed['img'] = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        mixed['img_shape'] = canvas
        mixed.update(union_of(placed))
        if self.settings.keep == 'all':
            mixed[MIX_WEIGHTS] = weights
            counts = [len(fields['gt_bboxes']) for fields in placed]
            mixed[GT_MIX_IDS] = np.repeat(components, counts)
            if region is not None:
                mixed[MIX_BOXES] = self.settings.boxes
        return mixed

    def _layer(
        self, image: np.ndarray, canvas: tuple[int, int], offset: tuple[int, int]
    ) -> Tensor:
        """A ``(h, w, 3)`` image on the canvas, ``(3, H, W)`` float32."""
        planes = torch.from_numpy(image).permute(2, 0, 1).float()
        return place(planes, canvas, offset, self.fill.view(-1, 1, 1))

    def _rng(self, *index: int) -> np.random.Generator:
        """The generator of this call: (seed, rank, worker, epoch, call, index)."""
        worker = get_worker_info()
        return counter_rng(
            runner_counter('seed'),
            get_rank(),
            0 if worker is None else worker.id,
            int(self._shared[1]),
            self._calls,
            *index,
        )
