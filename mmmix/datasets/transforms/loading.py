"""Loading images that may be missing, cut off, turned or of another size."""

from __future__ import annotations

import logging
import os
from typing import Any, BinaryIO

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.logging import print_log
from PIL import Image, UnidentifiedImageError

from mmmix.layouts.image_files import (
    MAX_PIXELS,
    any_size,
    check_pixels,
    check_regular,
    read_header,
)

END_MARKERS = {b'\xff\xd8\xff': b'\xff\xd9', b'\x89PNG\r\n\x1a\n': b'IEND\xaeB`\x82'}
"""First bytes of JPEG and PNG files, and the last of a whole one."""

HEAD_BYTES, TAIL_BYTES = 8, 32


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """``LoadImageFromFile`` that names images which are broken or do not fit boxes.

    Some decoders, older OpenCV versions among them, fill the missing part of a
    truncated JPEG with grey and report nothing, so that it would be trained on. This
    looks for the end marker in the last bytes of a local JPEG or PNG file. Only a
    file without one is decoded a second time, strictly: some cameras write data of
    their own behind the image.

    Where the annotation states ``width`` and ``height``, the loaded image must have
    them. A photo that its EXIF tag turns, and whose boxes are for the image as it is
    stored, is turned back, which a warning says once. (Mirrored and upside down ones
    keep their size, so that nothing tells; they are loaded as mmdet loads them, and
    the check of data warns of them.) Any other size is an error: images that were
    rescaled after annotation have their boxes elsewhere.

    Args:
        check_size: Whether a size other than the stated one is an error.
        max_pixels: Images of more are refused before they are decoded; None for no
            limit.
        **kwargs: Those of ``LoadImageFromFile``. With ``ignore_empty`` a bad image is
            skipped (None is returned) and nothing raises.
    """

    def __init__(
        self,
        check_size: bool = True,
        max_pixels: int | None = MAX_PIXELS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.check_size, self.max_pixels = check_size, max_pixels
        self._told = False

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Load ``results['img_path']`` into ``results['img']``.

        Args:
            results: A sample with ``img_path``; ``img_id`` if it is in an annotation
                list, for the messages; ``width`` and ``height`` as annotated, where
                they are known.

        Returns:
            The sample with ``img`` ((H, W, 3), uint8, BGR), ``img_shape`` and
            ``ori_shape`` ((H, W)).

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If the file is special, truncated, too large, cannot be
                decoded, or has another size than its annotation says.
        """
        try:
            return self._load(results)
        except (FileNotFoundError, ValueError):
            if self.ignore_empty:
                return None
            raise

    def _load(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Check and load, with errors that name the file and the sample."""
        path = str(results['img_path'])
        name, look, fix = f'Image file {path}', 'Get the file again', 'or leave it out'
        if 'img_id' in results:
            name += f' (img_id {results["img_id"]!r})'
            look = 'Check data_root and data_prefix of the dataset'
            fix = 'or take its id out of the annotation list'
        backend = get_file_backend(
            path, backend_args=self.backend_args, enable_singleton=True
        )
        local = isinstance(backend, LocalBackend)
        try:
            if local:
                self._check_file(path, name, fix)
            loaded = super().transform(results)
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{name} does not exist. {look}, {fix}.') from error
        except (AssertionError, cv2.error, UnidentifiedImageError) as error:
            size = f' from its {os.path.getsize(path)} bytes' if local else ''
            raise ValueError(
                f'{name} cannot be decoded by {self.imdecode_backend!r}{size}. Get the '
                f'file again, {fix}.'
            ) from error
        return self._fitted(loaded, name, local) if loaded else loaded

    def _check_file(self, path: str, name: str, fix: str) -> None:
        """Make sure that a local file is a whole image and not too large."""
        check_regular(path)
        with open(path, 'rb') as file:
            check_pixels(file, path, self.max_pixels)
            if not _is_whole(file, path):
                raise ValueError(
                    f'{name} is truncated: {os.path.getsize(path)} bytes, and the end '
                    f'of the image is not among them. Get the file again, {fix}.'
                )

    def _fitted(
        self, results: dict[str, Any], name: str, local: bool
    ) -> dict[str, Any]:
        """The image in the size that its annotation states."""
        stated = results.get('height'), results.get('width')
        shape = results['img'].shape[:2]
        if not self.check_size or not all(stated) or stated == shape:
            return results
        header = read_header(str(results['img_path']), None) if local else None
        stored = (header.height, header.width) if header else None
        if stated == stored == shape[::-1] and header.turned:
            self._tell(name)
            image = turned_back(results['img'], header.orientation)
            results['img'] = np.ascontiguousarray(image)
            results['img_shape'] = results['ori_shape'] = image.shape[:2]
            return results
        raise ValueError(
            f'{name} has {shape[1]} x {shape[0]} pixels, and its annotation says '
            f'{stated[1]} x {stated[0]}: its boxes would lie elsewhere. Was it '
            'rescaled or turned after annotation? Take the image that was annotated, '
            'or rescale the boxes too. If only the stated size is wrong, correct it, '
            "or set check_size=False of type='CheckedLoadImageFromFile'."
        )

    def _tell(self, name: str) -> None:
        """Say once that images are turned back."""
        if not self._told:
            self._told = True
            print_log(
                f'{name} is turned by its EXIF tag, and its boxes are for the image as '
                'it is stored: it and others like it are loaded as they are stored',
                logger='current',
                level=logging.WARNING,
            )

    def __repr__(self) -> str:
        return (
            f'{super().__repr__()[:-1]}, check_size={self.check_size}, '
            f'max_pixels={self.max_pixels})'
        )


def turned_back(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image as it is stored, from the one that EXIF's orientation made of it.

    Args:
        image: (H, W, C), or (H, W).
        orientation: 5 to 8.

    Returns:
        (W, H, C), or (W, H), a view.
    """
    if orientation in (5, 7):
        transposed = image.swapaxes(0, 1)
        return transposed if orientation == 5 else transposed[::-1, ::-1]
    return np.rot90(image, 1 if orientation == 6 else -1)


def _is_whole(file: BinaryIO, path: str) -> bool:
    """Whether a JPEG or PNG file has its end; True for any other format."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    for start, end in END_MARKERS.items():
        if head.startswith(start):
            return end in tail or _decodes_strictly(path)
    return True


def _decodes_strictly(path: str) -> bool:
    """Whether Pillow, which misses no missing byte, decodes the whole image."""
    try:
        with any_size(), Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):  # SyntaxError: a broken PNG chunk
        return False
    return True
