"""Images that belong to no data set: noise, and folders of the user's own."""

from __future__ import annotations

import logging
import zlib
from pathlib import Path

import cv2
import mmcv
import numpy as np
from mmengine.logging import print_log

from mmmix.layouts.files_below import files_below
from mmmix.layouts.image_files import SUFFIXES
from mmmix.layouts.left_out import warning_of
from mmmix.mixing import counter_rng

NOISES = ('uniform', 'gaussian')


def noise_image(
    kind: str, shape: tuple[int, int], index: int, seed: int = 0
) -> np.ndarray:
    """A colour image whose values are independent of one another.

    Args:
        kind: ``'uniform'`` on [0, 1], or ``'gaussian'``: mean ½, standard deviation
            1, clipped to [0, 1], as in Liang et al. (ICLR 2018), whose benchmark
            CutMix suppl. E.2 follows.
        shape: Height and width.
        index: Number of the image; each has its own noise, the same in every run.
        seed: Seed of the whole set.

    Returns:
        ``(H, W, 3)`` uint8.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    if kind not in NOISES:
        raise ValueError(f'expected a kind of noise among {NOISES}, got {kind!r}')
    rng = counter_rng(seed, zlib.crc32(kind.encode()), index)
    if kind == 'uniform':
        return rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    noise = rng.normal(0.5, 1.0, (*shape, 3)).clip(0, 1)
    return np.round(noise * 255).astype(np.uint8)


def folder_images(folder: str | Path, written: Path | None = None) -> list[Path]:
    """The images below a folder, sorted by path.

    Hidden ones and results of runs are left out, as :func:`files_below` does, and with
    a warning those of other formats.

    Args:
        folder: The folder.
        written: A file or folder of pictures that the command writes; what an earlier
            run wrote there is left out, unless the folder itself lies in it.

    Raises:
        FileNotFoundError: If there is no such folder or no image in it.
        NotADirectoryError: If it is a file.
    """
    root = Path(folder)
    files = files_below(root)
    paths = sorted(p for p in files if p.suffix.lower() in SUFFIXES)
    others = warning_of(path.name for path in files)
    own = written.resolve() if written else None
    if own and not root.resolve().is_relative_to(own):
        paths = [path for path in paths if not path.resolve().is_relative_to(own)]
    if not paths:
        raise FileNotFoundError(
            f'no image ({", ".join(SUFFIXES)}) below {root.absolute()}; '
            f'{others or "give a folder of images"}'
        )
    if others:
        print_log(f'{root}: {others}', level=logging.WARNING)
    return paths


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as BGR.

    Returns:
        ``(H, W, 3)`` uint8.

    Raises:
        ValueError: If the file is not an image that can be decoded.
    """
    try:
        image = mmcv.imread(str(path))
    except cv2.error:  # of an empty file
        image = None
    if image is None:
        raise ValueError(f'{path} cannot be decoded; mend it or take it away')
    return image
