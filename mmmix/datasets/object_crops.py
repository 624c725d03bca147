"""Crops of the objects of a VOC data set: images of one class, with a box."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import mmcv
import numpy as np
from numpy.typing import NDArray

from mmmix.layouts.writers import coco_annotation
from mmmix.layouts.writing import whole_folder

from .transforms import CheckedLoadImageFromFile
from .voc_layout import check_splits, split_dataset


class CropSettings(NamedTuple):
    """Which objects are cropped, and how.

    Attributes:
        classes: Their names, in the order of their labels.
        context: Sides of a crop over those of its box, before the image's edges cut it;
            1.5 enlarges a box by half.
        min_side: Shortest side of a box in pixels that is still cropped.
    """

    classes: tuple[str, ...]
    context: float = 1.5
    min_side: float = 32.0


def crop_window(
    box: Sequence[float], size: tuple[int, int], context: float
) -> tuple[int, int, int, int]:
    """The part of an image around a box, cut at the edges and rounded outwards.

    Args:
        box: (x1, y1, x2, y2) in pixels, inside the image.
        size: (height, width) of the image.
        context: Sides of the window over those of the box, at least 1.

    Returns:
        (x1, y1, x2, y2), whole pixels, ends exclusive.
    """
    low, high = np.array(box[:2], dtype=float), np.array(box[2:], dtype=float)
    margin = (high - low) * (context - 1) / 2
    first = np.floor(np.maximum(low - margin, 0)).astype(int)
    last = np.ceil(np.minimum(high + margin, size[::-1])).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def write_crops(
    root: str | os.PathLike,
    out: Path,
    splits: Sequence[str],
    settings: CropSettings,
) -> dict[str, int]:
    """Crop the objects of a data set in VOC layout.

    Each object that is not *difficult* becomes an image with one box, in
    ``out/images/SPLIT/``; ``out/annotations/SPLIT.json`` has labels and boxes in COCO's
    form, in pixels of the crop. The same data give the same files.

    Args:
        root: The folder with ``JPEGImages``, ``Annotations`` and ``ImageSets/Main``.
        out: The folder to make; it appears whole or not at all.
        splits: Names of lists in ``ImageSets/Main``.
        settings: Which objects, and how.

    Returns:
        The number of crops of each split.

    Raises:
        FileExistsError: If ``out`` exists.
        FileNotFoundError: If a list, an image or an annotation is missing.
        ValueError: If a split has no object to crop, or an image has another size than
            its annotation says.
    """
    check_splits(root, splits)
    with whole_folder(out) as draft:
        return {
            split: _write_split(root, draft, split, settings)
            for split in dict.fromkeys(splits)
        }


def _write_split(
    root: str | os.PathLike, out: Path, split: str, settings: CropSettings
) -> int:
    """Write the crops of one split, and return how many there are."""
    folder = out / 'images' / split
    folder.mkdir(parents=True)
    content = _empty(settings.classes)
    for name, label, box, pixels in _crops(root, split, settings):
        number = len(content['images'])
        mmcv.imwrite(pixels, str(folder / name), [1, 95])  # JPEG quality
        height, width = pixels.shape[:2]
        content['images'].append(
            dict(id=number, file_name=name, height=height, width=width)
        )
        bbox = [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]
        # image and box have one number
        content['annotations'].append(coco_annotation(number, number, label, bbox))
    if not content['images']:
        raise ValueError(
            f'{split} of {root} has no object of {list(settings.classes)} of at '
            f'least {settings.min_side} px; lower min_side, or name its classes'
        )
    path = out / 'annotations' / f'{split}.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding='utf-8')
    return len(content['images'])


def _empty(classes: Sequence[str]) -> dict[str, list]:
    """The content of a file without images."""
    categories = [dict(id=i, name=name) for i, name in enumerate(classes)]
    return dict(images=[], annotations=[], categories=categories)


def _crops(
    root: str | os.PathLike, split: str, settings: CropSettings
) -> Iterator[tuple[str, int, NDArray[Any], NDArray[Any]]]:
    """File name, label, box in the crop, and pixels of each object."""
    dataset = split_dataset(root, split, settings.classes)
    load = CheckedLoadImageFromFile()  # boxes may be for the image as it is stored
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        chosen = [
            (number, instance)
            for number, instance in enumerate(info['instances'])
            if not instance['ignore_flag']
            and shorter_side(instance['bbox']) >= settings.min_side
        ]
        if not chosen:
            continue
        image = load(info)['img']
        for number, instance in chosen:
            box = np.array(instance['bbox'], dtype=float)
            x1, y1, x2, y2 = crop_window(box, image.shape[:2], settings.context)
            name = f'{info["img_id"]}_{number}.jpg'
            inside = box - (x1, y1, x1, y1)
            yield name, instance['bbox_label'], inside, image[y1:y2, x1:x2]


def shorter_side(box: Sequence[float]) -> float:
    """That of a box (x1, y1, x2, y2), in pixels."""
    x1, y1, x2, y2 = box
    return float(min(x2 - x1, y2 - y1))
