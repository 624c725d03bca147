"""Objects of a VOC data set cut out of their photographs, to transplant."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps

from mmmix.layouts.writing import whole_folder

from .object_crops import shorter_side
from .transforms import CheckedLoadImageFromFile
from .voc_layout import check_splits, split_dataset

ROUNDS = 5
"""Rounds of GrabCut; later ones hardly move the outline."""

FILLED = (0.3, 0.95)
"""Share of its box that an object covers. Beyond it, GrabCut lost the object or found
no outline."""


def write_patches(
    root: str | os.PathLike,
    out: Path,
    split: str,
    classes: Sequence[str],
    count: int = 3,
    min_side: float = 64.0,
    without: Sequence[str] = (),
) -> dict[str, int]:
    """Cut out whole objects as ``CLASS/IMAGE_NUMBER.png``, with transparency.

    An object is taken if it is not difficult, does not touch the image's edge, overlaps
    no other object's box, of whatever class, and is large enough. Of a class the
    ``count`` largest are cut, at most one of an image. The same data give the same
    files.

    Args:
        root: The folder with ``JPEGImages``, ``Annotations`` and ``ImageSets/Main``.
        out: The folder to make; it appears whole or not at all.
        split: Name of a list in ``ImageSets/Main``.
        classes: Names of the classes.
        count: Patches of each class, if there are that many.
        min_side: Shorter side of a box in pixels, at least.
        without: Ids of images to leave out, as those that a model was trained on.

    Returns:
        The number of patches of each class.

    Raises:
        FileExistsError: If ``out`` exists.
        FileNotFoundError: If the list, an image or an annotation is missing.
        ValueError: If there is no object to cut out of any image, or an image has
            another size than its annotation says.
    """
    check_splits(root, [split])
    counts = dict.fromkeys(classes, 0)
    with whole_folder(out) as draft:
        found = sorted(
            _whole_objects(root, split, classes, min_side, frozenset(without)),
            key=lambda entry: -shorter_side(entry['bbox']),
        )
        for name in classes:
            entries = [entry for entry in found if entry['class'] == name]
            for file, patch in _first_cuts(entries, count):
                (draft / name).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(draft / name / file), patch)
                counts[name] += 1
        if not any(counts.values()):
            raise ValueError(
                f'{split} of {root} has no whole object of {list(classes)} of at least '
                f'{min_side:g} px outside the images to leave out; lower min_side'
            )
    return counts


def cut_out(image: np.ndarray, box: Sequence[float]) -> np.ndarray | None:
    """An object with its outline, as GrabCut finds it from the box alone.

    Args:
        image: ``(H, W, 3)`` uint8, BGR.
        box: (x1, y1, x2, y2) in pixels, with some of the image around it, whose
            colours are those of the background to begin with.

    Returns:
        ``(h, w, 4)`` uint8 of the box's size: BGR and opacity; or None if what was
        found fills too little or too much of the box.
    """
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    mask = np.zeros(image.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut clusters colours from random starts
    window = (x1, y1, x2 - x1, y2 - y1)
    cv2.grabCut(image, mask, window, *models, ROUNDS, cv2.GC_INIT_WITH_RECT)
    seen = np.isin(mask[y1:y2, x1:x2], (cv2.GC_FGD, cv2.GC_PR_FGD))
    low, high = FILLED
    if not low <= seen.mean() <= high:
        return None
    opacity = np.where(seen, 255, 0).astype(np.uint8)
    return np.dstack([image[y1:y2, x1:x2], opacity])


def _first_cuts(
    entries: Sequence[dict[str, Any]], count: int
) -> Iterator[tuple[str, np.ndarray]]:
    """File name and pixels of the first objects that can be cut out."""
    images: set[str] = set()
    load = CheckedLoadImageFromFile()  # boxes may be for the image as it is stored
    for entry in entries:
        if len(images) == count:
            return
        if entry['img_id'] in images:
            continue
        patch = cut_out(load(dict(entry))['img'], entry['bbox'])
        if patch is not None:
            images.add(entry['img_id'])
            yield f'{entry["img_id"]}_{entry["number"]}.png', patch


def _whole_objects(
    root: str | os.PathLike,
    split: str,
    classes: Sequence[str],
    min_side: float,
    without: frozenset[str],
) -> Iterator[dict[str, Any]]:
    """Objects that can be cut out: image, class, number in the image, and box."""
    dataset = split_dataset(root, split, classes)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        if info['img_id'] in without or not info['instances']:
            continue
        boxes = np.array([entry['bbox'] for entry in info['instances']], float)
        alone = _alone(boxes, _other_boxes(info['xml_path'], classes))
        inside = (boxes[:, :2] >= 2).all(axis=1)
        inside &= (boxes[:, 2:] <= (info['width'] - 2, info['height'] - 2)).all(axis=1)
        for number, instance in enumerate(info['instances']):
            large = shorter_side(instance['bbox']) >= min_side
            whole = alone[number] and inside[number] and not instance['ignore_flag']
            if large and whole:
                yield dict(
                    img_path=info['img_path'],
                    img_id=info['img_id'],
                    width=info['width'],
                    height=info['height'],
                    number=number,
                    bbox=instance['bbox'],
                    **{'class': classes[instance['bbox_label']]},
                )


def _alone(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which boxes touch no other of them or of some more, ``(n,)`` bool."""
    tensor = torch.from_numpy(boxes)
    overlaps = bbox_overlaps(tensor, torch.cat([tensor, torch.from_numpy(others)]))
    return ((overlaps > 0).sum(dim=1) == 1).numpy()


def _other_boxes(xml_path: str, classes: Sequence[str]) -> np.ndarray:
    """Boxes of objects of all other classes, which the data set drops, ``(m, 4)``."""
    boxes = [
        found.find('bndbox')
        for found in ET.parse(xml_path).getroot().findall('object')
        if found.findtext('name') not in classes
    ]
    corners = ('xmin', 'ymin', 'xmax', 'ymax')
    rows = [[float(box.findtext(c)) - 1 for c in corners] for box in boxes]
    return np.array(rows, float).reshape(-1, 4)
