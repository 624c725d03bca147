"""How good a detector's labels would be for a student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from mmmix.evaluation.judging import judge


@METRICS.register_module()
class PseudoLabelMetric(BaseMetric):
    """Precision and recall of the detections above score thresholds.

    A teacher's detections above ``cls_pseudo_thr`` are what its student learns
    from. A detection is right if it overlaps an object of its class, in VOC's
    inclusive pixels, that no detection of a higher score has taken. Boxes of
    ``ignored_instances`` are neither right nor wrong. Logged, for a threshold of 0.5,
    as ``pseudo/precision_0.5`` and ``pseudo/recall_0.5`` in [0, 1], and
    ``pseudo/count_0.5``, detections per image; a precision without any detection
    is -1, like a recall without any object.

    Args:
        score_thrs: Thresholds in [0, 1); a score must be above them.
        iou_thr: Smallest IoU of a right detection, in (0, 1].
        **kwargs: Arguments of ``BaseMetric``.

    Raises:
        ValueError: If a threshold is out of its range, or there is none.
    """

    default_prefix = 'pseudo'

    def __init__(
        self,
        score_thrs: Sequence[float] = (0.3, 0.5, 0.7, 0.9),
        iou_thr: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not score_thrs or not all(0 <= thr < 1 for thr in score_thrs):
            raise ValueError(
                f'score_thrs must be numbers in [0, 1), got {tuple(score_thrs)}'
            )
        if not 0 < iou_thr <= 1:
            raise ValueError(f'iou_thr must lie in (0, 1], got {iou_thr}')
        self.score_thrs = tuple(score_thrs)
        self.iou_thr = iou_thr

    def process(self, data_batch: Any, data_samples: Sequence[Mapping]) -> None:
        """Judge the detections of some images.

        Args:
            data_batch: Not read.
            data_samples: Samples as dicts, with ``pred_instances`` and
                ``gt_instances``.
        """
        for sample in data_samples:
            scores, _, right, wrong, objects = judge(sample, self.iou_thr)
            self.results.append((scores, right, wrong, len(objects)))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Precision, recall and count at each threshold.

        Args:
            results: Per image: scores, whether right, whether wrong, and the
                number of objects.
        """
        scores, right, wrong = (
            np.concatenate([result[k] for result in results]) for k in range(3)
        )
        objects = sum(result[3] for result in results)
        metrics = {}
        for thr in self.score_thrs:
            above = scores > thr
            hits, misses = right[above].sum(), wrong[above].sum()
            found = hits + misses
            metrics[f'precision_{thr:g}'] = float(hits / found) if found else -1.0
            metrics[f'recall_{thr:g}'] = float(hits / objects) if objects else -1.0
            metrics[f'count_{thr:g}'] = float(found / len(results))
        return metrics
