"""The 15 common corruptions, repeatable, through an optional package."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from .perturbations import image_generator
from .pixel_range import check_8_bit

CORRUPTIONS = (
    *('gaussian_noise', 'shot_noise', 'impulse_noise'),
    *('defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur'),
    *('snow', 'frost', 'fog', 'brightness'),
    *('contrast', 'elastic_transform', 'pixelate', 'jpeg_compression'),
)
"""The 15 common corruptions of Hendrycks and Dietterich (2019), in their order."""


@TRANSFORMS.register_module()
class CommonCorruption(BaseTransform):
    """One of the 15 common corruptions, drawn by the image's id.

    Like mmdet's ``Corrupt`` this calls the package imagecorruptions, but with the
    RGB images that it is made for, and with draws that can be repeated.

    Args:
        name: One of :data:`CORRUPTIONS`.
        severity: 1 to 5.
        seed: Another seed is another draw.

    Raises:
        ValueError: If ``name`` or ``severity`` is unknown.
        ModuleNotFoundError: If imagecorruptions is not installed.
    """

    def __init__(self, name: str, severity: int = 1, seed: int = 0) -> None:
        if name not in CORRUPTIONS or severity not in range(1, 6):
            raise ValueError(
                f'CommonCorruption expects a severity from 1 to 5 and a name among '
                f'{", ".join(CORRUPTIONS)}; got {name!r} and {severity!r}'
            )
        self.name, self.severity, self.seed = name, severity, seed
        self._library = _imagecorruptions()
        function = self._library.corruption_dict[name]
        # Two corruptions draw from a generator of their own, seeded by argument.
        self._takes_seed = 'seed' in inspect.signature(function).parameters

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Corrupt a copy of ``results['img']``, (H, W, 3) uint8 BGR.

        Raises:
            ValueError: If a side is shorter than 32 pixels, or the image has not 8
                bits and 3 channels.
        """
        check_8_bit('CommonCorruption', results)
        image = results['img']
        if min(image.shape[:2]) < 32:
            raise ValueError(
                f'common corruptions need images of 32 x 32 pixels and more; '
                f'{results.get("img_path")} has (height, width) {image.shape[:2]}'
            )
        seed = int(image_generator(results, self.seed).integers(2**31))
        extra = {'seed': seed} if self._takes_seed else {}
        rgb = np.ascontiguousarray(image[..., ::-1])
        with _global_draws(seed):
            corrupted = self._library.corrupt(
                rgb, severity=self.severity, corruption_name=self.name, **extra
            )
        results['img'] = np.ascontiguousarray(corrupted[..., ::-1])
        return results

    def __repr__(self) -> str:
        return (
            f'CommonCorruption(name={self.name!r}, severity={self.severity}, '
            f'seed={self.seed})'
        )


@contextmanager
def _global_draws(seed: int) -> Iterator[None]:
    """NumPy's global generator seeded for a ``with`` block, and put back after it."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def _imagecorruptions() -> ModuleType:
    """The optional package, or how to get it."""
    try:
        import imagecorruptions
    except ImportError as error:
        raise ModuleNotFoundError(
            'common corruptions need the package imagecorruptions: pip install '
            "'mmmix[robustness]', or pip install imagecorruptions-imaug",
            name='imagecorruptions',
        ) from error
    return imagecorruptions
