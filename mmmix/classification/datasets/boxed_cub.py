"""CUB-200-2011 with the boxes of its birds."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from mmpretrain.datasets import CUB
from mmpretrain.registry import DATASETS

from mmmix.layouts.first_few import first_few

from .box_steps import check_box_steps


@DATASETS.register_module()
class BoxedCUB(CUB):
    """``CUB`` whose images carry ``gt_bboxes``, ``(1, 4)`` as (x1, y1, x2, y2).

    Beside what ``CUB`` reads, ``bounding_boxes.txt`` of the data set is read: an id, x,
    y, width and height in pixels in each line.

    Args:
        data_root: The folder ``CUB_200_2011``.
        **settings: Further arguments of ``CUB``.

    Raises:
        FileNotFoundError: If ``bounding_boxes.txt`` is missing.
        ValueError: If an image has no box of some size there, or a step of the pipeline
            would leave boxes behind.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """Images with their labels and boxes."""
        check_box_steps(self.pipeline)
        infos = super().load_data_list()
        boxes = self._read_boxes()
        names = {name: i for i, name in self._load_data_from_txt(self.ann_file).items()}
        prefix = os.path.join(self.img_prefix, '')
        for info in infos:
            name = info['img_path'].removeprefix(prefix)
            if names[name] not in boxes:
                raise ValueError(f'bounding_boxes.txt has no box of {name}')
            x, y, width, height = boxes[names[name]]
            box = [[x, y, x + width, y + height]]
            info['gt_bboxes'] = np.array(box, dtype=np.float32)
        return infos

    def _read_boxes(self) -> dict[int, tuple[float, ...]]:
        """x, y, width and height by the number of the image, from 0."""
        path = os.path.join(self.data_root, 'bounding_boxes.txt')
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'no {os.path.abspath(path)}, which CUB_200_2011.tgz holds; '
                'unpack it whole, or take the data set CUB, which has no boxes'
            )
        with open(path, encoding='utf-8') as file:
            rows = [line.split() for line in file if line.strip()]
        boxes = {int(row[0]) - 1: tuple(map(float, row[1:])) for row in rows}
        bad = [i + 1 for i, box in boxes.items() if len(box) != 4 or min(box[2:]) <= 0]
        if bad:
            raise ValueError(
                f'{path}: expected id, x, y, width and height above 0, not so '
                f'of images {first_few(bad, 5)}'
            )
        return boxes
