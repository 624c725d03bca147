"""A cut-out object pasted where it does not belong; its box joins the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from PIL import Image

from .perturbations import image_generator
from .pixel_range import check_8_bit

MEASURES = ('area', 'side')
SUFFIXES = ('.png', '.webp')


@TRANSFORMS.register_module()
class TransplantPatch(BaseTransform):
    """Paste a random patch at a random place (BoxMix paper, Section 4.3, Table 4).

    A patch is a picture with transparency in a folder named after its class. First a
    class is drawn, then one of its patches. Pixels that are at least half opaque
    belong to the object; the patch is cut to their tight box, which becomes an object
    of the image. It keeps its proportions and lies wholly inside the image. Objects
    below it stay objects.

    All draws depend on the image's id, ``copy`` and ``seed`` alone, and not on the
    image's content. In a pipeline this comes right after the loading of the image.

    Args:
        folder: Has a folder per class, with PNG or WebP files. Classes may be
            missing.
        classes: Names of the classes, by label.
        share: Least and largest share of the image that the patch's box takes, drawn
            uniformly. A patch that is too long for its share gets a smaller one.
        measure: Share of what: ``'area'``, the image's; or ``'side'``, the longer of
            the box's width over the image's and its height over the image's.
        copy: Number of the copy of the data set; each has patches of its own.
        seed: Seed of all copies.

    Raises:
        ValueError: If an argument is out of its range, or a folder is no class's.
        FileNotFoundError: If there is no patch.
    """

    def __init__(
        self,
        folder: str | Path,
        classes: Sequence[str],
        share: tuple[float, float] = (0.1, 0.4),
        measure: str = 'area',
        copy: int = 0,
        seed: int = 0,
    ) -> None:
        low, high = share
        if not 0 < low <= high <= 1 or measure not in MEASURES:
            raise ValueError(
                f'TransplantPatch expects 0 < low <= high <= 1 as share and measure '
                f'among {MEASURES}, got {tuple(share)} and {measure!r}'
            )
        self.folder, self.share, self.measure = Path(folder), (low, high), measure
        self.copy, self.seed = copy, seed
        self._labels = {name: label for label, name in enumerate(classes)}
        self.patches = find_patches(self.folder, classes)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Paste a patch into a copy of ``results['img']``, (H, W, 3) uint8 BGR.

        Returns:
            The sample with one more of ``'instances'``; with ``'patch'``, which has
            its ``bbox`` (x1, y1, x2, y2) in pixels, its ``bbox_label`` and the
            ``file``; and with the number of the copy in ``'img_id'``.

        Raises:
            ValueError: If annotations were loaded or the image resized before, or the
                image has not 8 bits and 3 channels.
        """
        if 'gt_bboxes' in results or 'scale_factor' in results:
            raise ValueError(
                'TransplantPatch must come right after the loading of the image, '
                'before LoadAnnotations and Resize'
            )
        check_8_bit('TransplantPatch', results)
        if 'img_id' in results:  # the generator says so if not
            results['img_id'] = f'{results["img_id"]} copy {self.copy}'
        rng = image_generator(results, self.seed)
        name = list(self.patches)[rng.integers(len(self.patches))]
        path = self.patches[name][rng.integers(len(self.patches[name]))]
        image = results['img']
        patch = self._fit(read_patch(path), image.shape[:2], rng.uniform())
        height, width = patch.shape[:2]
        y = int(rng.integers(image.shape[0] - height, endpoint=True))
        x = int(rng.integers(image.shape[1] - width, endpoint=True))
        results['img'] = _pasted(image, patch, y, x)
        box = [float(x), float(y), float(x + width), float(y + height)]
        where = dict(bbox=box, bbox_label=self._labels[name])
        results['patch'] = where | dict(file=path.relative_to(self.folder).as_posix())
        where['ignore_flag'] = 0
        results['instances'] = [*results.get('instances', []), where]
        return results

    def _fit(
        self, patch: np.ndarray, canvas: tuple[int, int], draw: float
    ) -> np.ndarray:
        """A patch in the size that a draw from [0, 1) gives it on a canvas."""
        sides = np.array(patch.shape[:2]) / canvas
        area = self.measure == 'area'
        largest = sides.prod() / sides.max() ** 2 if area else 1.0
        share = np.interp(draw, (0, 1), np.minimum(self.share, largest))
        scale = (share / sides.prod()) ** 0.5 if area else share / sides.max()
        size = np.rint(np.array(patch.shape[:2]) * scale).astype(int)
        height, width = (int(n) for n in np.clip(size, 1, canvas))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return cv2.resize(patch, (width, height), interpolation=way)

    def __repr__(self) -> str:
        return (
            f'TransplantPatch(folder={str(self.folder)!r}, share={self.share}, '
            f'measure={self.measure!r}, copy={self.copy}, seed={self.seed}, '
            f'patches={sum(map(len, self.patches.values()))} of '
            f'{len(self.patches)} classes)'
        )


def find_patches(
    folder: str | Path, classes: Sequence[str]
) -> dict[str, tuple[Path, ...]]:
    """The patches of each class that has any, in the order of the classes.

    Raises:
        ValueError: If a folder has the name of no class.
        FileNotFoundError: If there is no patch.
    """
    folder = Path(folder)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    names = [path.name for path in inside if path.is_dir()]
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise ValueError(
            f'{folder} has the folders {unknown}, which are no classes; there are '
            f'{", ".join(classes)}'
        )
    found = {
        name: tuple(
            path
            for path in sorted((folder / name).iterdir())
            if path.suffix.lower() in SUFFIXES
        )
        for name in classes
        if name in names
    }
    found = {name: paths for name, paths in found.items() if paths}
    if not found:
        raise FileNotFoundError(
            f'no patch in {folder.absolute()}; expected pictures with transparency as '
            f'CLASS/NAME.png, such as {classes[0]}/1.png'
        )
    return found


@lru_cache(maxsize=256)
def read_patch(path: Path) -> np.ndarray:
    """Read a patch, cut to the tight box of what is at least half opaque.

    Returns:
        ``(h, w, 4)`` float32: BGR in [0, 255], multiplied with the opacity, so that
        what is invisible has no colour; and the opacity in [0, 1].

    Raises:
        ValueError: If it cannot be decoded, has no transparency, or nothing of it can
            be seen.
    """
    try:
        with Image.open(path) as picture:
            transparent = 'A' in picture.getbands() or 'transparency' in picture.info
            rgba = np.asarray(picture.convert('RGBA'), dtype=np.float32)
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{path} cannot be decoded: {error}') from error
    opacity = rgba[..., 3:] / 255
    seen = opacity[..., 0] >= 0.5
    if not transparent or not seen.any():
        fault = 'no pixel that is half opaque' if transparent else 'no transparency'
        raise ValueError(f'{path} has {fault}; a patch is an object that was cut out')
    patch = np.concatenate([rgba[..., 2::-1] * opacity, opacity], axis=2)
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    patch = patch[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    patch.flags.writeable = False  # all who ask get the same one
    return patch


def _pasted(image: np.ndarray, patch: np.ndarray, y: int, x: int) -> np.ndarray:
    """A copy of an image with a patch whose first pixel lies at (y, x)."""
    result = image.copy()
    window = result[y : y + patch.shape[0], x : x + patch.shape[1]]
    mixed = patch[..., :3] + (1 - patch[..., 3:]) * window
    window[...] = np.rint(mixed).clip(0, 255).astype(image.dtype)
    return result
