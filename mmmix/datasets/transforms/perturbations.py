"""Perturbed images for robustness studies; boxes stay as they are.

Each draws from a generator that is seeded by the image's id, so that all models,
and all strengths of one perturbation, see the same draw.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from .pixel_range import WHITE, per_channel, white_of

SCALES = ('pixel', 'normalized')
REGIONS = ('center', 'boundary')


@TRANSFORMS.register_module()
class GaussianNoise(BaseTransform):
    """Add zero-mean Gaussian noise (BoxMix paper, Table 3).

    Args:
        sigma: Standard deviation, at least 0.
        scale: Unit of ``sigma``: ``'pixel'``, the range [0, 1] from black to
            white; ``'normalized'``, pixels after division by ``std``.
        std: The preprocessor's std per channel, for ``'normalized'``.
        bgr_to_rgb: The preprocessor's: whether ``std`` is in the order RGB.
        seed: Another seed is another noise.
        clip: Round and clip to what the image's type can hold; white is the largest
            value of an integer type, and 255 in floating point. If not, the image
            becomes float32.

    Raises:
        ValueError: If an argument is out of its range, or ``std`` is missing.
    """

    def __init__(
        self,
        sigma: float,
        scale: str = 'pixel',
        std: Sequence[float] | None = None,
        bgr_to_rgb: bool = True,
        seed: int = 0,
        clip: bool = True,
    ) -> None:
        if not sigma >= 0 or scale not in SCALES:
            raise ValueError(
                f'GaussianNoise expects sigma >= 0 and scale among {SCALES}, got '
                f'{sigma} and {scale!r}'
            )
        if scale == 'normalized' and std is None:
            raise ValueError(
                "GaussianNoise(scale='normalized') needs std=[...] and bgr_to_rgb of "
                'the data_preprocessor'
            )
        self.sigma, self.scale, self.seed, self.clip = sigma, scale, seed, clip
        unit = np.float32([255.0] * 3 if scale == 'pixel' else std).reshape(-1)
        if not (np.isfinite(unit) & (unit > 0)).all() or not len(unit):
            raise ValueError(f'GaussianNoise expects numbers above 0 in std, got {std}')
        self.unit = unit[::-1] if bgr_to_rgb else unit

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add noise to a copy of ``results['img']``, (H, W, C) BGR.

        Raises:
            ValueError: If a float image that is to be clipped leaves [0, 255], or
                has not as many channels as ``std``.
        """
        image = results['img']
        white = white_of(image.dtype)
        unit = self.unit if self.scale == 'normalized' else self.unit * (white / WHITE)
        unit = per_channel('GaussianNoise.std', unit, image)
        if self.clip and image.dtype.kind == 'f' and _leaves(image, white):
            raise ValueError(
                f'GaussianNoise(clip=True) knows no white beyond {WHITE} for '
                f'{image.dtype}, and {results.get("img_path")} reaches '
                f"{image.max():g}; set clip=False and scale='normalized'"
            )
        noise = image_generator(results, self.seed).standard_normal(
            image.shape, np.float32
        )
        noisy = image + self.sigma * unit * noise
        if self.clip:
            noisy = np.rint(noisy) if image.dtype.kind in 'ui' else noisy
            noisy = noisy.clip(0, white).astype(image.dtype)
        results['img'] = noisy
        return results

    def __repr__(self) -> str:
        return (
            f'GaussianNoise(sigma={self.sigma:g}, scale={self.scale!r}, '
            f'unit={self.unit.tolist()}, seed={self.seed}, clip={self.clip})'
        )


@TRANSFORMS.register_module()
class OcclusionHole(BaseTransform):
    """Hide the centre of the image, or all but the centre (CutMix paper, E.1).

    Args:
        size: The hole's share of each side, in [0, 1]; the paper's s / 224.
        region: ``'center'`` hides the hole, ``'boundary'`` what lies outside it.
        fill: Colour of hidden pixels per channel, in [0, 255], where 255 is white: the
            largest value of an integer type. Black is zero before normalisation, the
            preprocessor's mean, of images of 8 bits, zero after it.
        bgr_to_rgb: Whether ``fill`` is in the order RGB.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        size: float,
        region: str = 'center',
        fill: Sequence[float] = (0.0, 0.0, 0.0),
        bgr_to_rgb: bool = True,
    ) -> None:
        if not 0 <= size <= 1 or region not in REGIONS:
            raise ValueError(
                f'OcclusionHole expects size in [0, 1] and region among {REGIONS}, '
                f'got {size} and {region!r}'
            )
        if len(fill) != 3 or not all(0 <= value <= 255 for value in fill):
            raise ValueError(f'OcclusionHole expects fill in [0, 255]³, got {fill}')
        self.size, self.region = size, region
        self.fill = np.float32(fill[::-1] if bgr_to_rgb else fill)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Hide a part of a copy of ``results['img']``, (H, W, C) BGR.

        Raises:
            ValueError: If it has not as many channels as ``fill``.
        """
        image = results['img']
        hidden = np.full(image.shape[:2], self.region == 'boundary')
        window = tuple(_middle(side, self.size) for side in hidden.shape)
        hidden[window] = self.region == 'center'
        fill = self.fill * (white_of(image.dtype) / WHITE)
        fill = per_channel('OcclusionHole.fill', fill, image)
        fill = np.rint(fill) if image.dtype.kind in 'ui' else fill
        image = image.copy()
        image[hidden] = fill.astype(image.dtype)
        results['img'] = image
        return results

    def __repr__(self) -> str:
        return (
            f'OcclusionHole(size={self.size:g}, region={self.region!r}, '
            f'fill={self.fill.tolist()})'
        )


def image_generator(results: Mapping[str, Any], seed: int) -> np.random.Generator:
    """A generator of an image, the same wherever the image is loaded.

    Raises:
        KeyError: If the image has no id.
    """
    if 'img_id' not in results:
        raise KeyError("perturbations are seeded by 'img_id', which the sample lacks")
    return np.random.default_rng([seed, zlib.crc32(str(results['img_id']).encode())])


def _leaves(image: np.ndarray, white: float) -> bool:
    """Whether pixels lie outside of [0, white]."""
    return image.size > 0 and (image.min() < 0 or image.max() > white)


def _middle(length: int, share: float) -> slice:
    """The middle ``share`` of a side of ``length`` pixels."""
    size = round(length * share)
    start = (length - size) // 2
    return slice(start, start + size)
