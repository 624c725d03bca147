"""Detections and labels written in formats that labelling programs read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Boxes(NamedTuple):
    """What was found in one image.

    Attributes:
        name: Path of the image below its folder, with slashes.
        size: (width, height) in pixels.
        boxes: x1, y1, x2, y2 of each box in pixels.
        labels: Class of each box, from 0.
        scores: In [0, 1].
    """

    name: str
    size: tuple[int, int]
    boxes: Sequence[Sequence[float]]
    labels: Sequence[int]
    scores: Sequence[float]


def coco_annotation(
    number: int, image: int, category: int, bbox: Sequence[float]
) -> dict[str, Any]:
    """One object in COCO format.

    Args:
        number: Its id.
        image: That of its image.
        category: That of its class.
        bbox: x, y, width, height in pixels.
    """
    return dict(
        id=number,
        image_id=image,
        category_id=category,
        bbox=list(bbox),
        area=bbox[2] * bbox[3],
        iscrowd=0,
    )


def coco_text(found: Sequence[Boxes], classes: Sequence[str]) -> str:
    """A data set in COCO format whose annotations also have a ``score``.

    Ids of images, annotations and categories count from 1; categories are all classes
    in the order of their labels.
    """
    images, annotations = [], []
    for number, image in enumerate(found, 1):
        width, height = image.size
        images.append(dict(id=number, file_name=image.name, width=width, height=height))
        for box, label, score in zip(image.boxes, image.labels, image.scores):
            x1, y1, x2, y2 = (round(float(value), 2) for value in box)
            bbox = x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)
            ids = len(annotations) + 1, number, int(label) + 1
            annotation = coco_annotation(*ids, bbox)
            annotation['area'] = round(annotation['area'], 2)
            annotations.append(annotation | dict(score=round(float(score), 4)))
    categories = [dict(id=i, name=name) for i, name in enumerate(classes, 1)]
    content = dict(images=images, annotations=annotations, categories=categories)
    return json.dumps(content, ensure_ascii=False) + '\n'


def yolo_paths(names: Sequence[str]) -> list[Path]:
    """Where :func:`yolo_texts` puts the labels of images with these names.

    Raises:
        ValueError: If two images would have the same label file.
    """
    owners: dict[Path, str] = {}
    for name in names:
        owner = owners.setdefault(Path('labels', name).with_suffix('.txt'), name)
        if owner is not name:
            raise ValueError(
                f"{name} and {owner} differ in their ending alone, and YOLO's labels "
                'would be in one file; rename one, or leave yolo out of --write'
            )
    return list(owners)


def yolo_texts(found: Sequence[Boxes], classes: Sequence[str]) -> dict[Path, str]:
    """Label files in YOLO's format, below ``labels``, and ``data.yaml``.

    Boxes whose width or height is 0 in six digits, such as those that a detector clips
    to the border, are left out: :func:`mmmix.layouts.yolo.read_labels` refuses them.

    Raises:
        ValueError: If two images would have the same label file.
    """
    texts = {}
    for image, path in zip(found, yolo_paths([image.name for image in found])):
        width, height = image.size
        lines = []
        for (x1, y1, x2, y2), label in zip(image.boxes, image.labels):
            shares = (
                (x1 + x2) / 2 / width,
                (y1 + y2) / 2 / height,
                (x2 - x1) / width,
                (y2 - y1) / height,
            )
            numbers = [f'{share:.6f}' for share in shares]
            if min(map(float, numbers[2:])) > 0:
                lines.append(f'{label} {" ".join(numbers)}\n')
        texts[path] = ''.join(lines)
    names = json.dumps(list(classes), ensure_ascii=False)  # which is YAML too
    texts[Path('data.yaml')] = f'names: {names}\n'
    return texts
