"""VOC's mAP with what papers print beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.evaluation import VOCMetric, eval_map
from mmdet.registry import METRICS
from mmengine.logging import MMLogger

FIXED = ('iou_thrs', 'metric', 'scale_ranges', 'proposal_nums')

IOUS = tuple(percent / 100 for percent in range(50, 100, 5))
"""0.5, 0.55, ..., 0.95."""


@METRICS.register_module()
class VOCStyleMetric(VOCMetric):
    """VOC's mAP, the AP of every class and, if asked for, stricter overlaps.

    Logged, in [0, 1]:

    - ``mAP``: that of ``VOCMetric`` at an IoU of 0.5, not rounded, and ``AP50``, the
      same number rounded;
    - ``AP50_<class>``: the AP of each class (BoxMix paper, Table 1; LossMix paper,
      Tables 4 and 5), -1 of a class that has no object;
    - with ``over_ious``, ``AP`` and ``AP75``: the mean over IoUs of 0.5, 0.55 to
      0.95, and the mAP at 0.75. These are the columns of Detectron2's evaluator of
      VOC, so of the LossMix paper's Tables 1 and 3. COCO's columns of these names
      are others: they take 101 recalls, not 11, and boxes without their last pixels.

    All but ``mAP`` have four decimals.

    Args:
        eval_mode: ``'11points'``, as VOC07 is scored, or ``'area'``.
        over_ious: Whether to score all ten IoUs, which takes ten times as long.
        **kwargs: Arguments of ``BaseMetric``.

    Raises:
        TypeError: If an argument of ``VOCMetric`` is given that is fixed here.
    """

    def __init__(
        self, eval_mode: str = '11points', over_ious: bool = False, **kwargs: Any
    ) -> None:
        given = [name for name in FIXED if name in kwargs]
        if given:
            raise TypeError(
                f'VOCStyleMetric has fixed columns and takes no {", ".join(given)}; '
                "use mmdet's VOCMetric for others"
            )
        super().__init__(iou_thrs=0.5, eval_mode=eval_mode, **kwargs)
        self.over_ious = over_ious

    def compute_metrics(self, results: Sequence[tuple[dict, list]]) -> dict[str, float]:
        """Score the collected results.

        Args:
            results: Of each image the objects, and the detections by class.

        Returns:
            The columns, ``mAP`` first, those of the classes last.
        """
        names = self.dataset_meta['classes']
        logger = MMLogger.get_current_instance()
        mean, classes = self._score(results, 0.5, logger=logger, dataset=names)
        columns = {'mAP': mean, 'AP50': round(mean, 4)}
        if self.over_ious:
            strict = [self._score(results, iou)[0] for iou in IOUS[1:]]
            columns['AP'] = round(float(np.mean([mean, *strict])), 4)
            columns['AP75'] = round(strict[IOUS.index(0.75) - 1], 4)
        for name, of_class in zip(names, classes):
            known = of_class['num_gts'] > 0
            columns[f'AP50_{name}'] = round(float(of_class['ap']), 4) if known else -1.0
        return columns

    def _score(
        self,
        results: Sequence[tuple[dict, list]],
        iou: float,
        logger: MMLogger | str = 'silent',
        dataset: Sequence[str] | None = None,
    ) -> tuple[float, list[dict[str, Any]]]:
        """The mAP at an IoU, and what ``eval_map`` says of each class."""
        truth, detections = zip(*results)
        return eval_map(
            detections,
            truth,
            iou_thr=iou,
            dataset=dataset,
            logger=logger,
            eval_mode=self.eval_mode,
            use_legacy_coordinate=True,  # as in VOCMetric
        )
