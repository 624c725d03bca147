"""Watch data sets while they are loaded."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from mmdet.datasets import BaseDetDataset, CocoDataset, XMLDataset
from mmdet.datasets.api_wrappers import COCO

from mmmix.datasets.yolo import YOLODataset

from .coco_reader import CocoReader
from .contents import Contents
from .reader import Reader
from .replaced_methods import replaced_methods
from .xml_reader import XMLReader
from .yolo_reader import YOLOReader

MAX_BOXES = 10_000


@contextmanager
def watched_loading(max_boxes: int = MAX_BOXES) -> Iterator[dict[int, Contents]]:
    """Note what is in all data sets of mmdet that are loaded in a ``with`` block.

    What they load is the same. A fault that must be mended ends the loading.

    Args:
        max_boxes: More boxes in an image are a fault.

    Yields:
        The notes by the ``id`` of the data set; filled while data sets are loaded.

    Raises:
        ValueError: While a data set loads, if its annotations have faults; names
            files, objects and fixes.
    """
    stock = BaseDetDataset.full_init
    seen: dict[int, Contents] = {}

    @functools.wraps(stock)
    def full_init(dataset: BaseDetDataset) -> None:
        if dataset._fully_initialized:
            return
        reader = _reader(dataset, max_boxes)
        with replaced_methods(dataset, reader.replacements()):
            stock(dataset)
        seen[id(dataset)] = reader.contents

    with replaced_methods(BaseDetDataset, {'full_init': full_init}):
        yield seen


def _reader(dataset: BaseDetDataset, max_boxes: int) -> Reader:
    """The reader for a kind of data set."""
    if isinstance(dataset, XMLDataset):
        return XMLReader(dataset, max_boxes)
    if isinstance(dataset, CocoDataset) and dataset.COCOAPI is COCO:
        return CocoReader(dataset, max_boxes)
    if isinstance(dataset, YOLODataset):
        return YOLOReader(dataset, max_boxes)
    return Reader(dataset, max_boxes)
