"""How good a detector's labels would be for a student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from mmmix.evaluation.judging import Judged, judge, quality_above


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
            self.results.append(judge(sample, self.iou_thr))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Precision, recall and count at each threshold.

        Args:
            results: Per image, as a plain tuple.
        """
        images = [Judged(*result) for result in results]
        found = {thr: quality_above(images, thr) for thr in self.score_thrs}
        return {
            f'{name}_{thr:g}': values.get(name, -1.0)
            for thr, values in found.items()
            for name in ('precision', 'recall', 'count')
        }
