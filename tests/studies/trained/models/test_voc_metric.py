"""A config's VOC metric is found however its type is written."""

from __future__ import annotations

import pytest
from mmdet.evaluation import CocoMetric, VOCMetric
from mmengine.config import Config, ConfigDict

from mmmix.evaluation import VOCStyleMetric
from mmmix.studies.trained.models.detection_scores import check_one_rule, voc_metric
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


@pytest.mark.parametrize(
    ('first', 'second', 'one'),
    [
        (dict(), dict(eval_mode='11points', iou_thrs=[0.5]), True),
        (dict(type=VOCStyleMetric), dict(iou_thrs=0.5), True),
        (dict(eval_mode='area'), dict(type=CocoMetric), True),  # none: the area
        (dict(), dict(eval_mode='area'), False),
        (dict(), dict(type=CocoMetric), False),
        (dict(iou_thrs=0.75), dict(), False),
    ],
)
def test_models_are_judged_by_one_map(first, second, one):
    cfgs = [
        Config(dict(test_evaluator=[{'type': 'VOCMetric', **metric}]))
        for metric in (first, first, second)
    ]
    if one:
        check_one_rule(cfgs)
        return
    with pytest.raises(ValueError, match='mAP is another number for each: .*has {'):
        check_one_rule(cfgs)
