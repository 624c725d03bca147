"""A config's VOC metric is found however its type is written."""

from __future__ import annotations

import pytest
from mmdet.evaluation import CocoMetric, VOCMetric
from mmengine.config import ConfigDict

from mmmix.evaluation import VOCStyleMetric
from mmmix.studies.trained.models.detection_scores import voc_metric
from mmmix.studies.trained.transplantation import voc_mode


@pytest.mark.parametrize(
    'kind',
    ['VOCMetric', 'mmdet.VOCMetric', VOCMetric, 'VOCStyleMetric', VOCStyleMetric],
)
def test_names_scopes_and_classes(kind):
    metric = dict(type=kind, eval_mode='area')
    cfg = ConfigDict(test_evaluator=[dict(type=CocoMetric), metric])
    assert voc_metric(cfg) == metric
    assert voc_mode(cfg) == 'area'
    assert voc_metric(ConfigDict(test_evaluator=metric)) == metric


def test_others_are_none():
    for evaluator in (None, [], dict(type='CocoStyleMetric'), [dict(type=CocoMetric)]):
        assert voc_metric(ConfigDict(test_evaluator=evaluator)) is None
    assert voc_mode(ConfigDict()) == 'area'
