"""The twelve columns of a COCO results table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS

COLUMNS = {
    'mAP': 'AP',
    'mAP_50': 'AP50',
    'mAP_75': 'AP75',
    'mAP_s': 'AP_S',
    'mAP_m': 'AP_M',
    'mAP_l': 'AP_L',
    'AR@100': 'AR_1',
    'AR@300': 'AR_10',
    'AR@1000': 'AR_100',
    'AR_s@1000': 'AR_S',
    'AR_m@1000': 'AR_M',
    'AR_l@1000': 'AR_L',
}
"""mmdet's name of each of the twelve numbers of ``COCOeval.stats``, in their order,
and the column it fills here. mmdet's recall names are those of its own default of
100, 300 and 1000 detections an image; it keeps them whatever ``proposal_nums`` is."""

FIXED = ('metric', 'proposal_nums', 'metric_items')


@METRICS.register_module()
class CocoStyleMetric(CocoMetric):
    """COCO's own table for boxes: six AP and six AR columns.

    The columns are those of BoxMix paper, Table 2: ``AP``, ``AP50``, ``AP75``,
    ``AP_S``, ``AP_M``, ``AP_L``, and ``AR_1``, ``AR_10``, ``AR_100``, ``AR_S``,
    ``AR_M``, ``AR_L``, in [0, 1], rounded to three decimals. Small is an area below
    32², large one of 96² pixels and more. As in COCO, a column that has no ground
    truth is -1.

    On data that is not COCO leave out ``ann_file`` and let the test pipeline pack
    ``instances`` among its ``meta_keys``. The ``difficult`` objects of VOC are then
    neither right nor wrong.

    Args:
        ann_file: COCO annotation file. None takes the annotations of the dataset.
        **kwargs: Further arguments of mmdet's ``CocoMetric``, for example
            ``classwise``, ``outfile_prefix`` or ``backend_args``.

    Raises:
        TypeError: If ``metric``, ``proposal_nums`` or ``metric_items`` is given:
            the columns fix them.
        FileNotFoundError: If ``ann_file`` does not exist.
    """

    def __init__(self, ann_file: str | None = None, **kwargs: Any) -> None:
        given = [name for name in FIXED if name in kwargs]
        if given:
            raise TypeError(
                f'CocoStyleMetric has fixed columns and takes no {", ".join(given)}; '
                "use mmdet's CocoMetric for others"
            )
        super().__init__(
            ann_file,
            metric='bbox',
            proposal_nums=(1, 10, 100),
            metric_items=list(COLUMNS),
            **kwargs,
        )

    def compute_metrics(self, results: Sequence[tuple[dict, dict]]) -> dict[str, float]:
        """Reduce the collected results to the columns.

        Args:
            results: Pairs (annotation, prediction), one per image.

        Returns:
            Column name to value, ``AP`` first; with ``classwise``, the AP of every
            class after them. A model that detects nothing at all has 0 in every
            column that has objects. Empty with ``format_only``.
        """
        scores = dict(super().compute_metrics(results))
        if self.format_only:
            return scores
        if not scores:  # mmdet's answer if there is no detection at all
            return self.compute_metrics(_with_a_miss(results))
        columns = {
            column: scores.pop(f'bbox_{item}') for item, column in COLUMNS.items()
        }
        return {**columns, **scores}


def _with_a_miss(results: Sequence[tuple[dict, dict]]) -> list[tuple[dict, dict]]:
    """The same with one detection, which finds nothing and changes no column.

    COCO's evaluation, which knows the columns that have objects, does not run without.
    """
    (truth, found), *others = results
    miss = dict(
        bboxes=np.array([[-2.0, -2.0, -1.0, -1.0]]),
        scores=np.zeros(1),
        labels=np.zeros(1, dtype=np.int64),
    )
    return [(truth, {**found, **miss}), *others]
