"""COCO's evaluation in C++ against pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.evaluation.metrics import coco_metric
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmmix.apis.run_command import stoppable
from mmmix.evaluation.metrics.fast_coco import (
    build_fast_evaluation,
    fast_coco_evaluation,
    numbered,
)

from .test_coco_style_metric import CLASSES, coco_truth, make_images, xywh

pytest.importorskip('faster_coco_eval')


def truth_of(images):
    coco = COCO()
    coco.dataset = coco_truth(images)
    coco.createIndex()
    return coco


def found_in(coco, images):
    return coco.loadRes(
        [
            dict(image_id=i['img_id'], category_id=7 + label, bbox=xywh(box), score=s)
            for i in images
            for box, label, s in zip(
                i['pred_instances']['bboxes'].tolist(),
                i['pred_instances']['labels'].tolist(),
                i['pred_instances']['scores'].tolist(),
            )
        ]
    )


def evaluated(kind, images, ids, max_dets):
    truth = truth_of(images)
    run = kind(truth, found_in(truth, images), 'bbox')
    run.params.imgIds = ids
    run.params.maxDets = list(max_dets)
    run.evaluate()
    run.accumulate()
    run.summarize()
    return run


@pytest.mark.parametrize('max_dets', [(1, 10, 100), (100, 300, 1000), (1, 5, 20)])
@pytest.mark.parametrize('ids', [list(range(12)), [f'{k:06}' for k in range(12)]])
def test_equal_to_pycocotools(ids, max_dets):
    images = make_images(ids)
    some = ids[2:11]  # the others are neither looked for nor found
    slow = evaluated(COCOeval, images, some, max_dets)
    fast = evaluated(build_fast_evaluation(), images, some, max_dets)
    assert slow.stats[1] > 0.1  # AP50
    np.testing.assert_allclose(fast.stats, slow.stats, rtol=0, atol=1e-6)
    # what mmdet reads the AP of every class from
    for name in ('precision', 'recall'):
        np.testing.assert_allclose(fast.eval[name], slow.eval[name], rtol=0, atol=1e-6)
    assert fast.eval['precision'].shape[2] == len(CLASSES)


def test_numbers_leave_the_data_alone():
    truth = truth_of(make_images(['a', 'b', 'c']))
    part = numbered(truth, {'a': 0, 'c': 1})
    assert sorted(part.imgs) == [0, 1]
    assert [a['bbox'] for a in part.imgToAnns[1]] == [
        a['bbox'] for a in truth.imgToAnns['c']
    ]
    assert sorted(truth.imgs) == ['a', 'b', 'c']
    assert {a['image_id'] for a in truth.dataset['annotations']} == {'a', 'b', 'c'}


def test_commands_use_it_while_they_run():
    assert coco_metric.COCOeval is COCOeval
    with stoppable():
        assert issubclass(coco_metric.COCOeval, build_fast_evaluation().__bases__[0])
    assert coco_metric.COCOeval is COCOeval


def test_without_the_library(monkeypatch):
    monkeypatch.setattr('mmmix.evaluation.metrics.fast_coco.COCOeval_faster', None)
    with fast_coco_evaluation() as used:
        assert not used
        assert coco_metric.COCOeval is COCOeval
