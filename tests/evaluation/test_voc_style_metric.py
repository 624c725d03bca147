"""VOCStyleMetric against VOC's procedure, one detection at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.evaluation import VOCMetric
from mmdet.registry import METRICS

from mmmix.evaluation import VOCStyleMetric, voc_overlaps
from mmmix.evaluation.metrics.serial_map import serial_eval_map

CLASSES = ('cat', 'dog', 'eel')
IOUS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def overlap(a, b):
    """IoU in pixels, the last of a box belonging to it."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def make_image(rng, classes=3):
    """Objects, some of them difficult, and detections near and far."""
    corners = rng.integers(0, 150, (6, 2)).astype(float)
    boxes = np.hstack([corners, corners + rng.integers(7, 60, (6, 2))])
    labels = rng.integers(classes, size=6)
    jitter = np.repeat(boxes, 3, 0) + rng.uniform(-3, 3, (18, 4))
    names = np.repeat(labels, 3)
    names = np.where(rng.random(18) < 0.2, rng.integers(classes, size=18), names)

    def fields(rows, of_rows, **more):
        return dict(
            bboxes=torch.tensor(rows, dtype=torch.float32),
            labels=torch.tensor(of_rows),
            **more,
        )

    return dict(
        gt_instances=fields(boxes[:5], labels[:5]),
        ignored_instances=fields(boxes[5:], labels[5:]),
        pred_instances=fields(jitter, names, scores=torch.tensor(rng.random(18))),
    )


def make_images(count=5, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return [make_image(rng, classes) for _ in range(count)]


def average_precision(images, label, iou):
    """VOC07's: detections of all images by score, then precision at 11 recalls."""
    entries, objects = [], 0
    for number, image in enumerate(images):
        objects += int((image['gt_instances']['labels'] == label).sum())
        found = image['pred_instances']
        for box, name, score in zip(found['bboxes'], found['labels'], found['scores']):
            if name == label:
                entries.append((-float(score), number, box.tolist()))
    taken, hits, misses, curve = set(), 0, 0, []
    for _, number, box in sorted(entries):
        rivals = []
        for kind in ('gt_instances', 'ignored_instances'):
            truth = images[number][kind]
            rivals += [
                (overlap(box, other.tolist()), kind == 'ignored_instances', place)
                for place, (other, name) in enumerate(
                    zip(truth['bboxes'], truth['labels'])
                )
                if name == label
            ]
        best = max(rivals, key=lambda rival: rival[0], default=(0.0, False, -1))
        if best[0] < iou:
            misses += 1
        elif best[1]:
            continue
        elif (number, best[2]) in taken:
            misses += 1
        else:
            taken.add((number, best[2]))
            hits += 1
        curve.append((hits / objects, hits / (hits + misses)))
    recalls = [step / 10 for step in range(11)]
    return (
        sum(max([p for r, p in curve if r >= at - 1e-12], default=0) for at in recalls)
        / 11
    )


def run(images, **settings):
    metric = METRICS.build(dict(type='VOCStyleMetric', **settings))
    metric.dataset_meta = dict(classes=CLASSES)
    for image in images:
        metric.process({}, [image])
    with serial_eval_map():  # as the commands do
        return metric.evaluate(len(images))


def test_columns_against_a_loop():
    """Detectron2's: AP over ten IoUs, AP50 and AP75, of 11 recalls each."""
    images = make_images()
    got = run(images, over_ious=True)
    table = np.array(
        [[average_precision(images, k, iou) for k in range(3)] for iou in IOUS]
    )
    assert got['pascal_voc/AP'] == pytest.approx(table.mean(), abs=5.1e-5)
    assert got['pascal_voc/AP50'] == pytest.approx(table[0].mean(), abs=5.1e-5)
    assert got['pascal_voc/AP75'] == pytest.approx(table[5].mean(), abs=5.1e-5)
    for name, value in zip(CLASSES, table[0]):
        assert got[f'pascal_voc/AP50_{name}'] == pytest.approx(value, abs=5.1e-5)
    # The numbers differ, so none can stand for another; four decimals, not three.
    assert len({round(value, 4) for value in got.values()}) >= 6
    assert any(
        round(value, 3) != value for key, value in got.items() if 'mAP' not in key
    )
    assert list(got)[:4] == [
        f'pascal_voc/{name}' for name in ('mAP', 'AP50', 'AP', 'AP75')
    ]


@pytest.mark.parametrize('mode', ['area', '11points'])
def test_map_is_that_of_voc_metric(mode):
    images = make_images(seed=1)
    stock = VOCMetric(eval_mode=mode)
    stock.dataset_meta = dict(classes=CLASSES)
    stock.process({}, images)
    expected = stock.evaluate(len(images))
    got = run(images, eval_mode=mode)
    assert got['pascal_voc/mAP'] == expected['pascal_voc/mAP']
    assert round(got['pascal_voc/AP50'], 3) == expected['pascal_voc/AP50']
    assert 'pascal_voc/AP75' not in got


def test_a_class_without_objects_has_no_ap():
    got = run(make_images(classes=2))
    assert got['pascal_voc/AP50_eel'] == -1
    both = [got[f'pascal_voc/AP50_{name}'] for name in CLASSES[:2]]
    assert got['pascal_voc/mAP'] == pytest.approx(np.mean(both), abs=1e-4)


def test_coco_columns_of_the_same_name_are_others():
    """What a reader of the paper's Table 1 would compare wrongly."""
    images = make_images(seed=2)
    for number, image in enumerate(images):
        truth = image['gt_instances']
        image.update(
            img_id=number,
            ori_shape=(300, 300),
            instances=[
                dict(bbox=box.tolist(), bbox_label=int(label), ignore_flag=0)
                for box, label in zip(truth['bboxes'], truth['labels'])
            ],
        )
    coco = METRICS.build(dict(type='CocoStyleMetric'))
    coco.dataset_meta = dict(classes=CLASSES)
    coco.process({}, images)
    theirs = coco.evaluate(len(images))
    ours = run(images, over_ious=True)
    assert abs(ours['pascal_voc/AP'] - theirs['coco/AP']) > 0.01


@pytest.mark.parametrize(
    'name', ['iou_thrs', 'metric', 'scale_ranges', 'proposal_nums']
)
def test_fixed_columns_cannot_be_changed(name):
    with pytest.raises(TypeError, match=name):
        VOCStyleMetric(**{name: 0.5})


def test_overlaps_against_counted_pixels():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 20, (2, 9, 2))
    boxes = np.concatenate([corners, corners + rng.integers(0, 15, (2, 9, 2))], axis=2)
    masks = np.zeros((2, 9, 40, 40), bool)
    for side in range(2):
        for mask, (x1, y1, x2, y2) in zip(masks[side], boxes[side]):
            mask[y1 : y2 + 1, x1 : x2 + 1] = True
    first, second = masks[0][:, None], masks[1][None]
    counts = (first & second).sum((2, 3)) / (first | second).sum((2, 3))
    got = voc_overlaps(*torch.tensor(boxes, dtype=torch.float32))
    np.testing.assert_allclose(got, counts, atol=1e-6)
    assert voc_overlaps(torch.zeros(0, 4), torch.zeros(3, 4)).shape == (0, 3)
