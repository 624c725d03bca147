"""What a validation shows beside its metrics: curves of classes, telling images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.evaluation.functional.mean_ap import average_precision

from .judging import Judged, field_arrays, judge, quality_above

RECALLS = np.linspace(0, 1, 51)
"""Where the curves of precision are read off."""

Summary = dict[str, Any]


class ValidationSummary:
    """Collects judged detections and reduces them to what a page can show.

    Args:
        classes: Names of the labels.
        max_images: Take the first images only, to bound memory and time.
        eval_mode: How an AP is averaged, ``'area'`` or ``'11points'``.
        score_thr: Detections below are not kept for the pictures.
    """

    def __init__(
        self,
        classes: Sequence[str],
        max_images: int = 1000,
        eval_mode: str = 'area',
        score_thr: float = 0.3,
    ) -> None:
        self.classes = tuple(classes)
        self.max_images = max_images
        self.eval_mode = eval_mode
        self.score_thr = score_thr
        self._judged: list[Judged] = []
        self._pictures: list[Summary] = []
        self._left_out = 0

    def add(self, sample: Mapping) -> None:
        """Take an image.

        Args:
            sample: A sample as a dict; see :func:`judge`.
        """
        if len(self._judged) >= self.max_images:
            self._left_out += 1
            return
        judged = judge(sample)
        self._judged.append(judged)
        self._pictures.append(
            dict(
                path=sample.get('img_path', ''),
                shape=list(sample.get('ori_shape') or ()),
                value=image_value(judged),
                truth=_boxes(sample['gt_instances']),
                found=_boxes(sample['pred_instances'], self.score_thr),
            )
        )

    def summarise(self, pictures: int = 4) -> Summary:
        """The curves of all classes, and the best and the worst images.

        Args:
            pictures: How many images of each.

        Returns:
            ``classes``: for each its ``name``, ``objects``, ``ap`` (None without an
            object) and ``precision`` at :data:`RECALLS` (None where the recall is
            not reached); ``images`` and ``left_out``, how many were taken or not;
            ``best`` and ``worst``: images with ``path``, ``shape`` (height and
            width as loaded), ``value``, and boxes.
        """
        values = [picture['value'] for picture in self._pictures]
        order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
        # An image without objects is no success to show.
        good = [k for k in order if len(self._judged[k].objects)][:pictures]
        bad = [k for k in reversed(order) if k not in good][:pictures]
        return dict(
            classes=[
                self._class(label, name) for label, name in enumerate(self.classes)
            ],
            images=len(self._judged),
            left_out=self._left_out,
            best=[self._pictures[k] for k in good],
            worst=[self._pictures[k] for k in bad],
        )

    def labels_above(self, threshold: float) -> dict[str, float]:
        """How good those above a score would be as labels; see `quality_above`."""
        return quality_above(self._judged, threshold)

    def _class(self, label: int, name: str) -> Summary:
        """AP and precision of one class."""
        objects = sum(int((j.objects == label).sum()) for j in self._judged)
        if not objects:
            return dict(name=name, objects=0, ap=None, precision=None)
        own = [judged.labels == label for judged in self._judged]
        scores, right, wrong = (
            np.concatenate([getattr(j, field)[o] for j, o in zip(self._judged, own)])
            for field in ('scores', 'right', 'wrong')
        )
        recall, precision = recall_precision(scores, right, wrong, objects)
        ap = average_precision(recall, precision, self.eval_mode)
        curve = [
            round(float(precision[recall >= level].max()), 4)
            if (recall >= level).any()
            else None
            for level in RECALLS
        ]
        return dict(name=name, objects=objects, ap=float(ap), precision=curve)


def recall_precision(
    scores: np.ndarray, right: np.ndarray, wrong: np.ndarray, objects: int
) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision, detection after detection from the surest on.

    Args:
        scores: ``(n,)``.
        right: ``(n,)``; see :class:`Judged`.
        wrong: ``(n,)``; likewise.
        objects: How many there are to be found, at least 1.
    """
    order = np.argsort(-scores)
    hits, misses = np.cumsum(right[order]), np.cumsum(wrong[order])
    # Above boxes to ignore alone there is neither a hit nor a miss.
    return hits / objects, hits / np.maximum(hits + misses, np.finfo(np.float32).eps)


def image_value(judged: Judged) -> float:
    """How well an image was understood, in [0, 1].

    The AP of its detections, all classes together; of an image without objects, what
    is left from 1 by its surest wrong detection.
    """
    if not len(judged.objects):
        return 1.0 - float((judged.scores * judged.wrong).max(initial=0.0))
    counted = recall_precision(
        judged.scores, judged.right, judged.wrong, len(judged.objects)
    )
    return float(average_precision(*counted, 'area'))


def _boxes(instances: Mapping, score_thr: float | None = None) -> list[list[float]]:
    """Rows of x1, y1, x2, y2, label and, with a threshold, the score."""
    names = (
        ('bboxes', 'labels') if score_thr is None else ('bboxes', 'labels', 'scores')
    )
    boxes, *others = field_arrays(instances, *names)
    rows = np.column_stack([boxes.astype(np.float64), *others])
    kept = rows if score_thr is None else rows[rows[:, 5] >= score_thr]
    return np.round(kept, 3).tolist()
