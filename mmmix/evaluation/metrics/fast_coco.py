"""COCO's evaluation in C++, where a library for it is installed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from mmdet.evaluation.metrics import coco_metric
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

try:
    from faster_coco_eval import COCOeval_faster
except ImportError:
    COCOeval_faster = None


def build_fast_evaluation() -> type | None:
    """The class that evaluates as ``pycocotools`` does, only faster; None without it.

    ``faster_coco_eval`` matches and accumulates; the table is made of that by
    pycocotools, whose AP always counts 100 detections an image where
    ``faster_coco_eval`` counts the largest number asked for.
    """
    if COCOeval_faster is None:
        return None

    class FastCocoEvaluation(COCOeval_faster):
        """``COCOeval`` that matches in C++."""

        summarize = COCOeval.summarize

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, print_function=print, **kwargs)

        def evaluate(self) -> None:
            """Match all images, whose ids may be text here too, as those of VOC are."""
            numbers = {name: k for k, name in enumerate(sorted(self.params.imgIds))}
            self.cocoGt = numbered(self.cocoGt, numbers)
            self.cocoDt = numbered(self.cocoDt, numbers)
            self.params.imgIds = list(numbers.values())
            super().evaluate()

    return FastCocoEvaluation


def numbered(coco: COCO, numbers: Mapping[Any, int]) -> COCO:
    """The same data with numbers for the ids of some images, and without the others."""
    result = COCO()
    result.dataset = dict(
        coco.dataset,
        images=[
            dict(image, id=numbers[image['id']])
            for image in coco.dataset['images']
            if image['id'] in numbers
        ],
        annotations=[
            dict(annotation, image_id=numbers[annotation['image_id']])
            for annotation in coco.dataset.get('annotations', ())
            if annotation['image_id'] in numbers
        ],
    )
    with redirect_stdout(io.StringIO()):  # it says that it makes an index
        result.createIndex()
    return result


@contextmanager
def fast_coco_evaluation() -> Iterator[bool]:
    """Let mmdet's ``CocoMetric`` use ``faster_coco_eval`` if it is installed.

    The results are those of pycocotools.

    Yields:
        Whether it is.
    """
    fast = build_fast_evaluation()
    if fast is None:
        yield False
        return
    stock, coco_metric.COCOeval = coco_metric.COCOeval, fast
    try:
        yield True
    finally:
        coco_metric.COCOeval = stock
