"""Data sets with labels in YOLO's text files."""

from __future__ import annotations

from collections.abc import Mapping

from mmmix.datasets.yolo import YOLODataset
from mmmix.layouts.yolo import label_file

from .reader import Reader


class YOLOReader(Reader):
    """Notes what our ``YOLODataset`` finds.

    Its classes are the names that belong to the ids, so that all of them are declared,
    whether an object has them or not.
    """

    def __init__(self, dataset: YOLODataset, max_boxes: int) -> None:
        super().__init__(dataset, max_boxes)
        self.contents.source = str(dataset.ann_file or dataset.data_prefix.get('img'))

    def note_names(self, data_list: list[dict]) -> None:
        """Count the classes of the objects."""
        super().note_names(data_list)
        self.contents.categories = tuple(self.dataset.metainfo['classes'])

    def place(self, info: Mapping) -> str:
        """The label file of an image."""
        return str(label_file(info['img_path']))
