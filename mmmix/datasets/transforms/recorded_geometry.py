"""SSD's transforms, which move pixels, with a record of how they did."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmdet.datasets.transforms import Expand, MinIoURandomCrop
from mmdet.registry import TRANSFORMS

from .pixel_range import check_channels, per_channel


@TRANSFORMS.register_module()
class RecordedExpand(Expand):
    """``Expand`` that records itself in ``homography_matrix``.

    So it may stand in the views of a teacher and its student. Pixels, boxes and draws
    are those of mmdet's.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # mmdet asks whether it equals its first value, which no tuple does.
        self.mean = np.array(self.mean)

    @cache_randomness
    def _random_left_top(self, ratio: float, h: int, w: int) -> tuple[int, int]:
        self._shift = super()._random_left_top(ratio, h, w)
        return self._shift

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Enlarge the canvas, or not, and record it.

        Raises:
            ValueError: If the image is not (H, W, C), or ``mean`` has not C values.
        """
        check_channels('RecordedExpand', results)
        per_channel('RecordedExpand.mean', self.mean, results['img'])
        self._shift = (0, 0)
        return _recorded(super().transform(results), *self._shift)


@TRANSFORMS.register_module()
class RecordedMinIoURandomCrop(MinIoURandomCrop):
    """``MinIoURandomCrop`` that records itself in ``homography_matrix``.

    So it may stand in the views of a teacher and its student. Pixels, boxes and draws
    are those of mmdet's.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop, or not, and record it.

        Raises:
            ValueError: If the image is not (H, W, C).
        """
        check_channels('RecordedMinIoURandomCrop', results)
        height, width = results['img'].shape[:2]
        segments = results.get('gt_seg_map')
        # A map of the places, which mmdet crops like the image: its first one is where
        # the crop begins.
        results['gt_seg_map'] = np.arange(height * width).reshape(height, width)
        results = super().transform(results)
        places = results.pop('gt_seg_map')
        top, left = divmod(int(places[0, 0]), width)
        if segments is not None:
            rows, columns = places.shape
            results['gt_seg_map'] = segments[top : top + rows, left : left + columns]
        return _recorded(results, -left, -top)


def _recorded(results: dict[str, Any], x: int, y: int) -> dict[str, Any]:
    """The results, with a shift by (x, y) after what was recorded before."""
    shift = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float32)
    before = results.get('homography_matrix', np.eye(3, dtype=np.float32))
    results['homography_matrix'] = shift @ before
    return results
