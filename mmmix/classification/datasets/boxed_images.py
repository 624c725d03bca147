"""Images of one class each, with boxes, from a file in COCO's form."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from numpy.typing import NDArray

from .box_steps import check_box_steps


@DATASETS.register_module()
class BoxedImages(BaseDataset):
    """Classified images whose boxes stand in a file of COCO's form.

    Each image has boxes of one class: its label. So ImageNet's localisation set can be
    written, and so ``mmmix object-crops`` writes crops. Images carry ``gt_label`` and
    ``gt_bboxes``, ``(G, 4)`` as (x1, y1, x2, y2) in pixels.

    Args:
        ann_file: A JSON file with ``images``, ``annotations`` (``image_id``,
            ``category_id``, ``bbox`` as x, y, width, height) and ``categories``. Labels
            follow the order of ``metainfo['classes']`` if given, else of the
            categories.
        **settings: Further arguments of mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If an image has no box or boxes of several classes, or a box has no
            area, or a step of the pipeline would leave boxes behind.
        KeyError: If a class is not among ``metainfo['classes']``, or the file lacks a
            key, an image or a category.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """Images with their labels and boxes."""
        check_box_steps(self.pipeline)
        if not os.path.isfile(self.ann_file):
            raise FileNotFoundError(
                f'no annotations at {os.path.abspath(self.ann_file)}'
            )
        with open(self.ann_file, encoding='utf-8') as file:
            content = json.load(file)
        missing = {'images', 'annotations', 'categories'} - set(content)
        if missing:
            raise KeyError(f'{self.ann_file} lacks {sorted(missing)}')
        names = {entry['id']: entry['name'] for entry in content['categories']}
        if self._metainfo.get('classes') is None:
            self._metainfo['classes'] = tuple(names.values())
        boxes: dict[Any, list[dict]] = {entry['id']: [] for entry in content['images']}
        for annotation in content['annotations']:
            image, category = annotation['image_id'], annotation['category_id']
            if image not in boxes or category not in names:
                raise KeyError(
                    f'{self.ann_file}: an annotation has image_id {image!r} and '
                    f'category_id {category!r}, and one of them is the id of no entry '
                    'of images or categories'
                )
            boxes[image].append(annotation)
        return [
            self._info(entry['file_name'], boxes[entry['id']], names)
            for entry in content['images']
        ]

    def _info(self, name: str, annotations: list[dict], names: dict) -> dict[str, Any]:
        """One image."""
        classes = sorted({names[entry['category_id']] for entry in annotations})
        if len(classes) != 1:
            raise ValueError(
                f'{self.ann_file}: expected boxes of one class in {name}, got '
                f'{classes or "none"}'
            )
        if classes[0] not in self._metainfo['classes']:
            raise KeyError(
                f'{self.ann_file}: {name} shows {classes[0]!r}, which is not among the '
                f'classes {list(self._metainfo["classes"])}'
            )
        boxes = _boxes(annotations)
        if not np.isfinite(boxes).all() or boxes[:, 2:].min() <= 0:
            raise ValueError(
                f'{self.ann_file}: {name} has a bbox that is not x, y and a width and '
                'height above 0'
            )
        boxes[:, 2:] += boxes[:, :2]
        return dict(
            img_path=os.path.join(self.img_prefix, name),
            gt_label=list(self._metainfo['classes']).index(classes[0]),
            gt_bboxes=boxes,
        )


def _boxes(annotations: list[dict]) -> NDArray[Any]:
    """x, y, width and height of each, ``(G, 4)``; NaN where one is no four numbers."""
    rows = [entry.get('bbox') for entry in annotations]
    try:
        return np.array(rows, dtype=np.float32).reshape(len(rows), 4)
    except (TypeError, ValueError):
        return np.full((len(rows), 4), np.nan, dtype=np.float32)
