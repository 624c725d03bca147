"""Whether images are there and have the size that their annotations state."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.fileio import LocalBackend, get_file_backend

from mmmix.datasets.transforms import CheckedLoadImageFromFile
from mmmix.datasets.voc_layout import other_suffix
from mmmix.layouts.image_files import ImageHeader, read_header

from .class_names import Source

SAMPLED = 32
UNREADABLE = (OSError, ValueError, AssertionError, SyntaxError, cv2.error)
"""What decoders raise; Pillow calls a broken chunk of a PNG file a SyntaxError."""


def check_images(source: Source, sampled: int = SAMPLED) -> list[str]:
    """Look at the heads of some images of a data set, spread over it evenly.

    Args:
        source: The data set.
        sampled: How many images.

    Returns:
        Warnings: of images that EXIF mirrors or turns upside down, which keeps their
        size, so that nobody can tell whether their boxes are for the image as it is
        stored or as it is shown.

    Raises:
        FileNotFoundError: If an image is not there.
        ValueError: If one is no regular file, or has another size than is stated.
    """
    dataset, unsure = source.dataset, []
    loader = image_loader(dataset)
    count = len(dataset) if loader is not None and source.contents else 0
    for index in np.unique(np.linspace(0, count - 1, min(count, sampled)).round()):
        info = dataset.get_data_info(int(index))
        header = look_at_image(info, source, loader)
        if header is not None and 2 <= header.orientation <= 4:
            unsure.append(str(info['img_path']))
    if not unsure:
        return []
    return [
        f'{source.key}: {len(unsure)} of {min(count, sampled)} images that were looked '
        f'at are mirrored or turned upside down by an EXIF tag, such as {unsure[0]}. '
        'Their size does not tell whether the boxes are for the image as stored or as '
        'shown; they are loaded as shown. Look at some of them in a viewer of boxes'
    ]


def look_at_image(
    info: dict[str, Any], source: Source, loader: LoadImageFromFile
) -> ImageHeader | None:
    """Compare the head of an image with what is stated.

    Args:
        info: What its data set says of it.
        source: The data set.
        loader: The step that loads it.

    Returns:
        Its head; None if it is not local or not of a known format.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no regular file, or has another size than is stated.
    """
    header = _header(info, source, loader)
    if header is not None:
        _check_size(info, header, loader, source)
    return header


def image_loader(dataset: Any) -> LoadImageFromFile | None:
    """The step of a pipeline that loads images from files."""
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return next((step for step in steps if isinstance(step, LoadImageFromFile)), None)


def _header(
    info: dict[str, Any], source: Source, loader: LoadImageFromFile
) -> ImageHeader | None:
    """The head of an image; None if it is not local or not of a known format."""
    path = info.get('img_path')
    if not isinstance(path, str):
        return None
    backend = get_file_backend(
        path, backend_args=loader.backend_args, enable_singleton=True
    )
    if not isinstance(backend, LocalBackend):
        return None
    try:
        return read_header(path, getattr(loader, 'max_pixels', None))
    except FileNotFoundError as error:
        raise FileNotFoundError(_missing(path, source)) from error


def _missing(path: str, source: Source) -> str:
    """What to do about an image that is not there."""
    text = f'image {path} of {source.key} does not exist'
    other = other_suffix(path)
    if other:
        return (
            f"{text}, but {other} does: mmdet's XMLDataset reads .jpg alone. Set "
            f"{source.key}.type='VOCLayoutDataset', which reads images of any format"
        )
    return f'{text}; check data_root and data_prefix, or take it out of the annotations'


def _check_size(
    info: dict[str, Any],
    header: ImageHeader,
    loader: LoadImageFromFile,
    source: Source,
) -> None:
    """Compare the size of an image with the stated one.

    Raises:
        ValueError: If they differ, and loading would not mend it.
    """
    checked = isinstance(loader, CheckedLoadImageFromFile)
    stated = info.get('width'), info.get('height')
    if not all(stated) or (checked and not loader.check_size):
        return
    stored = header.width, header.height
    if stated in (header.shown, stored):
        if checked or header.shown == stored:
            return
        height, width = loader.transform(dict(info))['img'].shape[:2]
        if stated == (width, height):
            return
        raise ValueError(
            f'{source.key}: {info["img_path"]} is turned by its EXIF tag to '
            f'{width} x {height} pixels, and its annotation is for {stated[0]} x '
            f"{stated[1]}. Load with type='CheckedLoadImageFromFile', which turns it "
            'back, or save the images without the tag'
        )
    raise ValueError(
        f'{source.key}: {info["img_path"]} has {header.shown[0]} x {header.shown[1]} '
        f'pixels, and its annotation says {stated[0]} x {stated[1]}: its boxes would '
        'lie elsewhere. Was it rescaled or turned after annotation? Take the image '
        'that was annotated, or rescale the boxes too. If only the stated size is '
        "wrong, correct it, or set check_size=False of type='CheckedLoadImageFromFile'"
    )
