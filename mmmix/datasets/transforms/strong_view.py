"""Strong augmentations that leave boxes as they are, and that mmdet lacks.

With mmcv's ``RandomApply`` and ``RandomGrayscale`` around them they make the
strong view of Adaptive Teacher (https://arxiv.org/abs/2111.13216).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from .pixel_range import check_8_bit, white_of

_TRIES = 10


@TRANSFORMS.register_module()
class ColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue, in a random order.

    For brightness, contrast and saturation a factor is drawn from U(1 - x, 1 + x),
    for hue a shift from U(-x, x), in turns of the colour wheel.

    Args:
        brightness: x, in [0, 1].
        contrast: x, in [0, 1].
        saturation: x, in [0, 1].
        hue: x, in [0, 0.5].

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.1,
    ) -> None:
        given = dict(brightness=brightness, contrast=contrast, saturation=saturation)
        for name, value in given.items():
            _check_range(f'ColorJitter.{name}', (0, value), 0, 1)
        _check_range('ColorJitter.hue', (0, hue), 0, 0.5)
        self.amounts = {**given, 'hue': hue}

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Recolour ``results['img']``, (H, W, 3) uint8 BGR.

        Raises:
            ValueError: If it is of another kind.
        """
        check_8_bit('ColorJitter', results)
        image = results['img']
        amounts = list(self.amounts.items())
        for place in np.random.permutation(len(amounts)):
            name, amount = amounts[place]
            draw = np.random.uniform(-amount, amount)
            image = _recoloured(image, name, draw)
        results['img'] = image
        return results

    def __repr__(self) -> str:
        amounts = ', '.join(f'{name}={x:g}' for name, x in self.amounts.items())
        return f'ColorJitter({amounts})'


@TRANSFORMS.register_module()
class GaussianBlur(BaseTransform):
    """Blur with a Gaussian kernel.

    Args:
        sigma: The standard deviation is drawn from this range, in pixels.

    Raises:
        ValueError: If the range is empty or reaches 0.
    """

    def __init__(self, sigma: Sequence[float] = (0.1, 2.0)) -> None:
        self.sigma = _check_range('GaussianBlur.sigma', sigma, 1e-3, math.inf)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Blur ``results['img']``."""
        sigma = np.random.uniform(*self.sigma)
        results['img'] = cv2.GaussianBlur(results['img'], (0, 0), sigma)
        return results

    def __repr__(self) -> str:
        return f'GaussianBlur(sigma={self.sigma})'


@TRANSFORMS.register_module()
class NoisePatch(BaseTransform):
    """Put uniform noise in place of one rectangle.

    Boxes stay, also those behind it. A rectangle that does not fit into the image
    is drawn again, up to ten times; then the image stays as it is.

    Args:
        area: Range of its share of the image's area, in (0, 1].
        aspect: Range of height / width, drawn uniformly on a logarithmic scale.

    Raises:
        ValueError: If a range is empty or out of bounds.
    """

    def __init__(
        self,
        area: Sequence[float] = (0.05, 0.2),
        aspect: Sequence[float] = (0.3, 3.3),
    ) -> None:
        self.area = _check_range('NoisePatch.area', area, 1e-6, 1)
        self.aspect = _check_range('NoisePatch.aspect', aspect, 1e-3, 1e3)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cover a part of a copy of ``results['img']``, from black to white."""
        image = results['img'].copy()
        size = self._size(*image.shape[:2])
        if size is not None:
            height, width = size
            top = np.random.randint(image.shape[0] - height + 1)
            left = np.random.randint(image.shape[1] - width + 1)
            patch = image[top : top + height, left : left + width]
            whole = image.dtype if image.dtype.kind in 'ui' else np.uint8
            white = white_of(image.dtype)
            patch[...] = np.random.randint(0, white + 1, patch.shape, dtype=whole)
        results['img'] = image
        return results

    def _size(self, height: int, width: int) -> tuple[int, int] | None:
        """Height and width of a rectangle that fits, in pixels."""
        for _ in range(_TRIES):
            area = height * width * np.random.uniform(*self.area)
            aspect = math.exp(np.random.uniform(*map(math.log, self.aspect)))
            size = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < size[0] <= height and 0 < size[1] <= width:
                return size
        return None

    def __repr__(self) -> str:
        return f'NoisePatch(area={self.area}, aspect={self.aspect})'


def _recoloured(image: np.ndarray, name: str, draw: float) -> np.ndarray:
    """The image with one property changed by ``draw``; 0 changes nothing."""
    if name == 'brightness':
        return mmcv.adjust_brightness(image, 1 + draw, backend='cv2')
    if name == 'contrast':
        return mmcv.adjust_contrast(image, 1 + draw, backend='cv2')
    if name == 'saturation':
        return mmcv.adjust_color(image, 1 + draw, backend='cv2')
    # mmcv.adjust_hue casts a negative float to uint8 in its older versions.
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
    hsv[..., 0] += np.uint8(round(draw * 256) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)


def _check_range(
    name: str, given: Sequence[float], low: float, high: float
) -> tuple[float, float]:
    """A pair of numbers in rising order between two bounds.

    Raises:
        ValueError: Naming the argument.
    """
    pair = tuple(given)
    if len(pair) != 2 or not low <= pair[0] <= pair[1] <= high:
        raise ValueError(
            f'{name} expects numbers from {low:g} to {high:g} in rising order, got '
            f'{pair}'
        )
    return pair
