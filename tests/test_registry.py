"""Types of a config, in each of the ways they are written."""

from __future__ import annotations

import pytest
from mmdet.datasets.transforms import Resize
from mmdet.evaluation import VOCMetric
from mmdet.models import SSDHead
from mmdet.registry import METRICS, MODELS, TRANSFORMS
from mmengine.config import Config

from mmmix.apis.configs.plain_config import plain_config, plain_config_text
from mmmix.models import MixSSDHead
from mmmix.registry import class_of, is_a
from mmmix.studies.speed.synthetic import input_size
from mmmix.studies.trained.models.detection_scores import voc_metric


@pytest.mark.parametrize(
    'kind',
    ['Resize', 'mmdet.Resize', 'mmdet.datasets.transforms.Resize', Resize],
)
def test_class_of(kind):
    assert class_of(kind, TRANSFORMS) is Resize
    assert is_a(dict(type=kind), Resize, TRANSFORMS)
    assert is_a(dict(type=kind), 'mmdet.Resize', TRANSFORMS)
    assert input_size([dict(type=kind, scale=(40, 30))]) == (30, 40)


@pytest.mark.parametrize('kind', [None, 5, 'NoSuchThing', 'no.such.Thing', 'os.path'])
def test_what_names_no_class(kind):
    assert class_of(kind, TRANSFORMS) is None
    assert not is_a(dict(type=kind), Resize, TRANSFORMS)


def test_derived_types_and_none():
    assert is_a(dict(type='MixSSDHead'), SSDHead, MODELS)
    assert not is_a(dict(type='SSDHead'), MixSSDHead, MODELS)
    assert not is_a(None, SSDHead, MODELS)
    assert not is_a(dict(type='SSDHead'), 'NoSuchThing', MODELS)


@pytest.mark.parametrize('kind', ['VOCMetric', 'mmdet.VOCMetric', VOCMetric])
def test_the_metric_of_a_config(kind):
    metrics = [dict(type='CocoMetric'), dict(type=kind, metric='mAP')]
    assert voc_metric(Config(dict(test_evaluator=metrics)))['metric'] == 'mAP'
    assert is_a(metrics[1], VOCMetric, METRICS)


@pytest.mark.parametrize(
    'kind', ['MixSSDHead', 'mmdet.MixSSDHead', MixSSDHead, SSDHead]
)
def test_plain_configs_of_classes(kind):
    detector = dict(type='SingleStageDetector', bbox_head=dict(type=kind))
    cfg = Config(
        dict(
            model=dict(type='MixTeacher', detector=detector, semi_train_cfg=dict()),
            test_dataloader=dict(),
            test_evaluator=dict(type=VOCMetric),
        )
    )
    plain = plain_config(cfg)
    text = plain_config_text(plain, 'one\nimport os; two')
    assert is_a(plain.model.bbox_head, SSDHead, MODELS)
    assert not is_a(plain.model.bbox_head, MixSSDHead, MODELS)
    assert text.startswith('# one\\nimport os; two\n')
    assert 'head.loss_cls = None' in text
    # What is written can be read again.
    names: dict = {}
    exec(text, names)
    assert is_a(names['test_evaluator'], VOCMetric, METRICS)
    assert is_a(names['model']['bbox_head'], SSDHead, MODELS)
