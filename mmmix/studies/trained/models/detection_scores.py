"""Metrics of what models found, that no Runner made: VOC mAP and COCO-style AP."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmdet.evaluation import VOCMetric
from mmdet.registry import METRICS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmmix.registry import is_a
from mmmix.studies.trained.images.truth import objects_of

AREA = {'type': 'VOCMetric', 'metric': 'mAP', 'eval_mode': 'area'}
"""What judges the detections of a config that has no ``VOCMetric``."""


class Scores:
    """Collects what one model makes of one set of images, and judges it.

    Args:
        metrics: As ``test_evaluator`` of a config.
        metainfo: Of the data set, with ``classes``.
    """

    def __init__(self, metrics: Any, metainfo: Mapping[str, Any]) -> None:
        self._evaluator = Evaluator(copy.deepcopy(metrics))
        self._evaluator.dataset_meta = dict(metainfo)
        self._count = 0

    def add(self, samples: Sequence[Any]) -> None:
        """Add images, with their truth and what the model makes of them."""
        self._evaluator.process(data_samples=list(samples), data_batch=None)
        self._count += len(samples)

    @torch.no_grad()
    def result(self) -> dict[str, float]:
        """The numbers of ``tools/test.py``, such as ``pascal_voc/mAP``."""
        with _quiet():
            scores = self._evaluator.evaluate(self._count)
        return {key: float(value) for key, value in scores.items()}


class DetectionScores(Scores):
    """Scores of detections.

    Args:
        cfg: The model's config; its ``VOCMetric`` has the settings, if it has one,
            otherwise the whole area below the curve counts.
        metainfo: Of the data set, with ``classes``.
    """

    def __init__(self, cfg: Config, metainfo: Mapping[str, Any]) -> None:
        voc = voc_metric(cfg) or dict(AREA)
        voc.pop('over_ious', None)  # ten times the time, for no column of a study
        # COCO's table is made of the annotations at hand, so that a part of the
        # images can be scored too.
        super().__init__([voc, {'type': 'CocoStyleMetric'}], metainfo)

    def add(self, samples: Sequence[DetDataSample]) -> None:
        """Add images.

        Args:
            samples: With ``pred_instances`` and, in the metainfo, ``instances``,
                which both metrics take the objects from.
        """
        for sample in samples:
            objects, ignored = objects_of(sample.metainfo)
            sample.gt_instances, sample.ignored_instances = objects, ignored
        super().add(samples)


def voc_metric(cfg: Config) -> dict[str, Any] | None:
    """The config of the last ``VOCMetric`` among a config's test metrics, if any.

    Types may be names, names with their scope, or classes.
    """
    evaluator = cfg.get('test_evaluator') or ()
    metrics = [evaluator] if isinstance(evaluator, Mapping) else evaluator
    found = [dict(m) for m in metrics if is_a(m, VOCMetric, METRICS)]
    return found[-1] if found else None


RULE = {'metric': 'mAP', 'eval_mode': '11points', 'iou_thrs': 0.5, 'scale_ranges': None}
"""What of a ``VOCMetric`` its mAP depends on, and its defaults."""


def check_one_rule(cfgs: Sequence[Config]) -> None:
    """Make sure that one mAP judges all models, for it is compared.

    Args:
        cfgs: Their configs; one without a ``VOCMetric`` is judged by :data:`AREA`.

    Raises:
        ValueError: If two configs average precision in two ways.
    """
    rules = [_rule(cfg) for cfg in cfgs]
    for cfg, rule in zip(cfgs, rules):
        if rule != rules[0]:
            raise ValueError(
                f'mAP is another number for each: test_evaluator of {cfgs[0].filename} '
                f'has {rules[0]}, and that of {cfg.filename} {rule}. Give all configs '
                'the same VOCMetric'
            )


def _rule(cfg: Config) -> dict[str, Any]:
    metric = voc_metric(cfg) or AREA
    rule = {key: metric.get(key, default) for key, default in RULE.items()}
    if isinstance(rule['iou_thrs'], float):  # what VOCMetric takes for one of them
        rule['iou_thrs'] = [rule['iou_thrs']]
    return rule


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the metrics from printing their tables."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
