"""Mixing in the dataset, for a batch of one or a pipeline of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import BaseBoxes
from mmengine.dist import get_rank
from torch import Tensor
from torch.utils.data import get_worker_info

from mmmix.functional import (
    blend,
    check_boxes,
    common_canvas,
    place,
    shift_boxes,
    shift_masks,
)
from mmmix.functional.counters import counter_rng, runner_counter
from mmmix.functional.mix_plan import draw_lam
from mmmix.functional.mixer_settings import MixerSettings
from mmmix.structures import MIX_WEIGHTS, dominant_component

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
    ) -> None:
        self.settings = MixerSettings.build(ratio, align, pad, keep, prob)
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
            image, plus ``gt_mix_ids`` and ``mix_weights``. An image whose
            partner is itself stays unmixed.

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
            _check_mixable(item)
        if not results['mix_results']:
            return results
        other = results['mix_results'][0]
        if results.get('img_path', results) == other.get('img_path', other):
            return results
        rng = self._rng(results.get('sample_idx', 0))
        return self.mix(results, other, float(draw_lam(rng, 1, self.settings.ratio)[0]))

    def mix(self, results: dict, other: dict, lam: float) -> dict:
        """Mix two loaded images.

        Args:
            results: Component 0.
            other: Component 1.
            lam: λ in [0, 1], the weight of component 0.

        Returns:
            As :meth:`transform`.
        """
        pair = (results, other)
        sizes = [tuple(item['img'].shape[:2]) for item in pair]
        boxes = [item['gt_bboxes'] for item in pair]
        check_boxes(boxes, sizes, [str(item.get('img_path')) for item in pair])
        canvas, offsets = common_canvas(*sizes, self.settings.align)
        weights = (lam, 1.0 - lam)
        components = [0, 1]
        mixed = {key: value for key, value in results.items() if key != 'mix_results'}
        mixed['img'] = self._blend([item['img'] for item in pair], lam, canvas, offsets)
        mixed['img_shape'] = canvas
        if self.settings.keep == 'dominant':
            components = [dominant_component(weights)]
        else:
            mixed[MIX_WEIGHTS] = weights
            mixed[GT_MIX_IDS] = np.repeat(components, [len(b) for b in boxes])
        mixed.update(_union([pair[k] for k in components], offsets, components, canvas))
        return mixed

    def _blend(
        self,
        images: list[np.ndarray],
        lam: float,
        canvas: tuple[int, int],
        offsets: Sequence[tuple[int, int]],
    ) -> np.ndarray:
        """Blend two ``(h, w, 3)`` images to ``(H, W, 3)`` float32."""
        fill = self.fill.view(-1, 1, 1)
        layers: list[Tensor] = [
            place(
                torch.from_numpy(image).permute(2, 0, 1).float(), canvas, offset, fill
            )
            for image, offset in zip(images, offsets)
        ]
        mixed = blend(*layers, lam)
        return np.ascontiguousarray(mixed.permute(1, 2, 0).numpy())

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


def _check_mixable(item: dict) -> None:
    """Refuse results whose fields mixing would make wrong."""
    name = item.get('img_path')
    if MIX_WEIGHTS in item:
        raise ValueError(
            f'{name} is already mixed ({MIX_WEIGHTS}={item[MIX_WEIGHTS]}); use one '
            'MixImage'
        )
    for key in ('gt_seg_map', 'proposals'):
        if key in item:
            raise TypeError(
                f'{name}: {key!r} cannot be mixed; leave it out of the pipeline '
                '(LoadAnnotations(with_seg=False), no LoadProposals)'
            )
    if not isinstance(item.get('gt_bboxes'), BaseBoxes):
        raise TypeError(
            f'{name}: gt_bboxes must be boxes as LoadAnnotations(with_bbox=True) '
            f'gives them, got {type(item.get("gt_bboxes")).__name__}'
        )


def _union(
    items: list[dict],
    offsets: Sequence[tuple[int, int]],
    components: list[int],
    canvas: tuple[int, int],
) -> dict[str, Any]:
    """Annotations of the given components on the mixed canvas."""
    places = [offsets[k] for k in components]
    boxes = [shift_boxes(i['gt_bboxes'], p, canvas) for i, p in zip(items, places)]
    union = {'gt_bboxes': boxes[0].cat(boxes)}
    for key in ('gt_bboxes_labels', 'gt_ignore_flags'):
        if key in items[0]:
            union[key] = np.concatenate([item[key] for item in items])
    if 'gt_masks' in items[0]:
        masks = [shift_masks(i['gt_masks'], p, canvas) for i, p in zip(items, places)]
        union['gt_masks'] = type(masks[0]).cat(masks)
    return union
