"""Loading images that may be missing or cut off."""

from __future__ import annotations

import os
from typing import Any

import cv2
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from mmengine.fileio import LocalBackend, get_file_backend
from PIL import Image, UnidentifiedImageError

END_MARKERS = {b'\xff\xd8\xff': b'\xff\xd9', b'\x89PNG\r\n\x1a\n': b'IEND\xaeB`\x82'}
"""First bytes of JPEG and PNG files, and the last of a whole one."""

HEAD_BYTES, TAIL_BYTES = 8, 32


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """``LoadImageFromFile`` that names a missing, truncated or undecodable image.

    Some decoders, older OpenCV versions among them, fill the missing part of a
    truncated JPEG with grey and report nothing, so that it would be trained on. This
    looks for the end marker in the last bytes of a local JPEG or PNG file. Only a
    file without one is decoded a second time, strictly: some cameras write data of
    their own behind the image.

    The arguments are those of ``LoadImageFromFile``. With ``ignore_empty`` a bad
    image is skipped (None is returned) and nothing raises.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Load ``results['img_path']`` into ``results['img']``.

        Args:
            results: A sample with ``img_path`` and, for the messages, ``img_id``.

        Returns:
            The sample with ``img`` ((H, W, 3), uint8, BGR), ``img_shape`` and
            ``ori_shape`` ((H, W)).

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If the file is truncated or cannot be decoded.
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
        name = f'Image file {path} (img_id {results.get("img_id")!r})'
        fix = 'or take its id out of the annotation list'
        backend = get_file_backend(
            path, backend_args=self.backend_args, enable_singleton=True
        )
        local = isinstance(backend, LocalBackend)
        try:
            if local and not _is_whole(path):
                raise ValueError(
                    f'{name} is truncated: {os.path.getsize(path)} bytes, and the end '
                    f'of the image is not among them. Get the file again, {fix}.'
                )
            return super().transform(results)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{name} does not exist. Check data_root and data_prefix of the '
                f'dataset, {fix}.'
            ) from error
        except (AssertionError, cv2.error, UnidentifiedImageError) as error:
            size = f' from its {os.path.getsize(path)} bytes' if local else ''
            raise ValueError(
                f'{name} cannot be decoded by {self.imdecode_backend!r}{size}. Get the '
                f'file again, {fix}.'
            ) from error


def _is_whole(path: str) -> bool:
    """Whether a JPEG or PNG file has its end; True for any other format."""
    with open(path, 'rb') as file:
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
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):  # SyntaxError: a broken PNG chunk
        return False
    return True
