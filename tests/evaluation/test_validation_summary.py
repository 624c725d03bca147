"""What a validation shows, against mmdet's own evaluation and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.evaluation import eval_map
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from mmmix.evaluation.metrics import PseudoLabelMetric
from mmmix.evaluation.metrics.serial_map import serial_eval_map
from mmmix.evaluation.validation_summary import RECALLS, ValidationSummary

CLASSES = ('cat', 'dog', 'horse')


def boxes(rng, count):
    corner = rng.uniform(0, 60, (count, 2))
    return np.hstack([corner, corner + rng.uniform(10, 40, (count, 2))])


def instances(bboxes, labels, scores=None):
    fields = dict(
        bboxes=torch.tensor(np.asarray(bboxes, float).reshape(-1, 4)),
        labels=torch.tensor(np.asarray(labels, int)),
    )
    if scores is not None:
        fields['scores'] = torch.tensor(np.asarray(scores, float))
    return InstanceData(**fields)


def sample(rng, name='a.jpg'):
    """Noisy detections of four objects of the first two classes, and false ones."""
    truth, labels = boxes(rng, 4), rng.integers(2, size=4)
    found = np.vstack([truth + rng.normal(0, 4, (4, 4)), boxes(rng, 5)])
    return dict(
        img_path=name,
        gt_instances=instances(truth, labels),
        ignored_instances=instances(boxes(rng, 1), rng.integers(2, size=1)),
        pred_instances=instances(
            found, [*labels, *rng.integers(3, size=5)], rng.random(9)
        ),
    )


def summary_of(samples, **settings):
    summary = ValidationSummary(CLASSES, **settings)
    for entry in samples:
        summary.add(entry)
    return summary


def mmdet_results(samples, mode):
    truth = [
        dict(
            bboxes=s['gt_instances'].bboxes.numpy(),
            labels=s['gt_instances'].labels.numpy(),
            bboxes_ignore=s['ignored_instances'].bboxes.numpy(),
            labels_ignore=s['ignored_instances'].labels.numpy(),
        )
        for s in samples
    ]
    found = [
        [
            np.hstack([p.bboxes[p.labels == c], p.scores[p.labels == c, None]])
            for c in range(len(CLASSES))
        ]
        for p in (s['pred_instances'] for s in samples)
    ]
    with serial_eval_map():
        return eval_map(
            found, truth, use_legacy_coordinate=True, eval_mode=mode, logger='silent'
        )[1]


@pytest.mark.parametrize('mode', ['area', '11points'])
def test_classes_are_scored_as_by_mmdet(mode):
    rng = np.random.default_rng(0)
    samples = [sample(rng) for _ in range(12)]
    found = summary_of(samples, eval_mode=mode).summarise()['classes']
    expected = mmdet_results(samples, mode)
    for own, stock in zip(found[:2], expected):
        assert own['objects'] == stock['num_gts'] > 0
        assert own['ap'] == pytest.approx(float(stock['ap']), abs=1e-6)
        assert 0.1 < own['ap'] < 1
        for level, precision in zip(RECALLS, own['precision']):
            reached = stock['precision'][stock['recall'] >= level]
            if len(reached):
                assert precision == pytest.approx(reached.max(), abs=6e-5)
            else:
                assert precision is None
    assert found[2] == dict(name='horse', objects=0, ap=None, precision=None)


def test_labels_above_a_score_are_judged_as_by_the_metric():
    rng = np.random.default_rng(1)
    samples = [sample(rng) for _ in range(6)]
    metric = PseudoLabelMetric(score_thrs=(0.4,))
    metric.process(None, samples)
    expected = metric.compute_metrics(metric.results)
    found = summary_of(samples).labels_above(0.4)
    for name, value in found.items():
        assert value == pytest.approx(expected[f'{name}_0.4'])
    assert set(found) == {'precision', 'recall', 'count'}
    assert set(summary_of(samples).labels_above(0.999)) == {'count', 'recall'}


def test_a_picture_knows_the_size_of_its_image():
    entry = sample(np.random.default_rng(0)) | dict(ori_shape=(30, 50))
    (found,) = summary_of([entry]).summarise()['best']
    assert found['shape'] == [30, 50]


def test_boxes_that_the_preprocessor_leaves_as_they_are():
    """With ``boxtype2tensor=False`` samples keep mmdet's own kind of boxes."""
    entry = sample(np.random.default_rng(0))
    expected = summary_of([entry]).summarise()
    for name in ('gt_instances', 'ignored_instances', 'pred_instances'):
        own = InstanceData(**dict(entry[name].items()))
        own.bboxes = HorizontalBoxes(own.bboxes, dtype=own.bboxes.dtype)
        entry[name] = own
    assert summary_of([entry]).summarise() == expected


def test_best_and_worst_images():
    box = [10, 10, 50, 50]
    right = instances([box], [0], [0.9])
    wrong = instances([[60, 60, 90, 90]], [0], [0.8])
    nothing = instances([], [])
    samples = [
        dict(img_path='good', gt_instances=instances([box], [0]), pred_instances=right),
        dict(img_path='bad', gt_instances=instances([box], [0]), pred_instances=wrong),
        dict(img_path='empty', gt_instances=nothing, pred_instances=wrong),
    ]
    found = summary_of(samples).summarise(pictures=2)
    assert [(i['path'], round(i['value'], 3)) for i in found['best']] == [
        ('good', 1.0),
        ('bad', 0.0),
    ]
    assert [(i['path'], round(i['value'], 3)) for i in found['worst']] == [
        ('empty', 0.2)  # left by its surest wrong detection, 0.8
    ]
    assert found['best'][0]['truth'] == [[*map(float, box), 0.0]]
    assert found['best'][0]['found'] == [[*map(float, box), 0.0, 0.9]]


def test_images_beyond_the_limit_are_counted():
    rng = np.random.default_rng(2)
    found = summary_of([sample(rng) for _ in range(5)], max_images=3).summarise()
    assert (found['images'], found['left_out']) == (3, 2)
