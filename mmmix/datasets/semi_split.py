"""Splits of a data set into a labelled and an unlabelled part."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmmix.layouts.lists import read_list
from mmmix.layouts.whole_json import read_json
from mmmix.layouts.writing import write_all

Coco = dict[str, Any]


class SplitSettings(NamedTuple):
    """How the labelled images of one split are drawn.

    Attributes:
        percent: How many of the images are labelled, in (0, 100).
        fold: The seed. Folds are draws of their own and may share images.
        repeat: Draw with repetition, as SoftTeacher and mmdet's
            ``tools/misc/split_coco.py`` do. An image that is drawn twice counts
            once, so a few images less are labelled; the splits are theirs.
        keep_labels: Whether the unlabelled part of a COCO set keeps its boxes, to
            judge pseudo-labels by.
    """

    percent: float
    fold: int = 1
    repeat: bool = False
    keep_labels: bool = False

    def names(self, ann_file: Path) -> tuple[str, str]:
        """File names of the parts, those of SoftTeacher's protocol."""
        stem = f'{ann_file.stem}.{self.fold}@{self.percent:g}'
        return f'{stem}{ann_file.suffix}', f'{stem}-unlabeled{ann_file.suffix}'


def labelled_mask(total: int, settings: SplitSettings) -> np.ndarray:
    """Which images are labelled.

    Args:
        total: The number of images.
        settings: How to draw.

    Returns:
        ``(total,)`` booleans.

    Raises:
        ValueError: If the percentage or the fold is out of range, or no image
            would be labelled.
    """
    if not 0 < settings.percent < 100 or settings.fold < 0:
        raise ValueError(
            'expected 0 < percent < 100 and fold >= 0, got '
            f'percent={settings.percent:g} and fold={settings.fold}'
        )
    if settings.repeat:  # as theirs, where 29 % of 100 are 28
        count = int(settings.percent / 100 * total)
    else:  # 29 % of 100 are 29, which the product may be just below
        count = int(settings.percent * total / 100 + 1e-9)
    if count == 0:
        raise ValueError(
            f'{settings.percent:g} % of {total} images is less than one; label more'
        )
    rng = np.random.RandomState(settings.fold)
    mask = np.zeros(total, bool)
    mask[rng.choice(total, count, replace=settings.repeat)] = True
    return mask


def split_coco(content: Coco, settings: SplitSettings) -> tuple[Coco, Coco]:
    """Split a data set of COCO's format.

    Args:
        content: What its annotation file holds.
        settings: How to split.

    Returns:
        The labelled and the unlabelled part, in the order of ``content`` and with
        its other entries, such as ``categories``.

    Raises:
        ValueError: See :func:`labelled_mask`.
    """
    mask = labelled_mask(len(content['images']), settings)
    parts = []
    for wanted, boxes in ((True, True), (False, settings.keep_labels)):
        images = [
            image for image, is_in in zip(content['images'], mask) if is_in == wanted
        ]
        ids = {image['id'] for image in images} if boxes else set()
        found = [ann for ann in content['annotations'] if ann['image_id'] in ids]
        parts.append({**content, 'images': images, 'annotations': found})
    return parts[0], parts[1]


def split_list(
    names: Sequence[str], settings: SplitSettings
) -> tuple[list[str], list[str]]:
    """Split the image list of a data set of VOC's format.

    Raises:
        ValueError: See :func:`labelled_mask`.
    """
    mask = labelled_mask(len(names), settings)
    parts = [
        [name for name, is_in in zip(names, mask) if is_in == wanted]
        for wanted in (True, False)
    ]
    return parts[0], parts[1]


def read_annotations(ann_file: Path) -> Coco | list[str]:
    """A COCO annotation file (``.json``) or a VOC image list (``.txt``).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is neither, or names an image twice, which could come into
            both parts.
    """
    if not ann_file.is_file():
        raise FileNotFoundError(f'no annotation file at {ann_file.absolute()}')
    if ann_file.suffix == '.txt':
        names = read_list(ann_file)
        _check_repeats(ann_file, names)
        return names
    if ann_file.suffix != '.json':
        raise ValueError(
            'expected a COCO annotation file (.json) or a VOC image list (.txt), got '
            f'{ann_file}'
        )
    content = read_json(ann_file)
    if not isinstance(content, dict):
        raise ValueError(
            f'{ann_file} is not in COCO format: expected an object with images, '
            f'annotations and categories, got a {type(content).__name__}'
        )
    missing = {'images', 'annotations', 'categories'} - set(content)
    if missing:
        raise ValueError(
            f'{ann_file} is not in COCO format: it lacks {sorted(missing)}'
        )
    _check_repeats(ann_file, [image['id'] for image in content['images']])
    return content


def _check_repeats(ann_file: Path, names: Sequence[Any]) -> None:
    """Make sure that no image is there twice.

    Raises:
        ValueError: If one is.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f'{ann_file} has {len(twice)} images more than once, such as {twice[0]!r}; '
            'delete the repeats: one could be labelled and the other not'
        )


def write_split(
    content: Coco | list[str], ann_file: Path, out: Path, settings: SplitSettings
) -> tuple[int, int]:
    """Write the two parts of a split, both of them or none.

    Args:
        content: See :func:`read_annotations`.
        ann_file: Where it came from; the parts are named after it.
        out: The folder to write to.
        settings: How to split.

    Returns:
        The numbers of labelled and unlabelled images.

    Raises:
        ValueError: See :func:`labelled_mask`.
    """
    if isinstance(content, dict):
        parts = split_coco(content, settings)
        texts = [json.dumps(part) for part in parts]
        sizes = [len(part['images']) for part in parts]
    else:
        lists = split_list(content, settings)
        texts = ['\n'.join(names) + '\n' for names in lists]
        sizes = [len(names) for names in lists]
    paths = [out / name for name in settings.names(ann_file)]
    write_all(dict(zip(paths, texts)))
    return sizes[0], sizes[1]
