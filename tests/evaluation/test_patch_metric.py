"""What counts as a detected patch, by hand and against a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.evaluation import VOCMetric
from mmdet.registry import METRICS

from mmmix.evaluation import PatchMetric

CLASSES = ('cat', 'dog', 'eel')
PATCH = (100.0, 100, 200, 200)


def image(label, detections, others=(), ignored=()):
    """A sample as a dict.

    Args:
        label: The patch's class.
        detections: (box, label, score) each.
        others: (box, label) of other objects.
        ignored: Likewise, of those to ignore.
    """

    def instances(rows, *names):
        columns = list(zip(*rows)) or [()] * len(names)
        kinds = dict(bboxes=torch.float32, labels=torch.int64, scores=torch.float32)
        fields = {
            name: torch.tensor(column, dtype=kinds[name])
            for name, column in zip(names, columns)
        }
        return fields | dict(bboxes=fields['bboxes'].reshape(-1, 4))

    return dict(
        img_id='a',
        patch=dict(bbox=list(PATCH), bbox_label=label),
        gt_instances=instances([*others, (PATCH, label)], 'bboxes', 'labels'),
        ignored_instances=instances(ignored, 'bboxes', 'labels'),
        pred_instances=instances(detections, 'bboxes', 'labels', 'scores'),
    )


def run(images, **settings):
    metric = METRICS.build(dict(type='PatchMetric', **settings))
    metric.dataset_meta = dict(classes=CLASSES)
    for part in images:
        metric.process({}, [part])
    return metric.evaluate(len(images))


def wide(width):
    """A box on the patch's left side; its IoU with it is (width + 1) / 101."""
    return (100.0, 100, 100 + width, 200)


@pytest.mark.parametrize(
    ('detections', 'others', 'ignored', 'found', 'precision'),
    [
        ([], (), (), 0, -1),
        ([(wide(50), 0, 0.3)], (), (), 1, 1),
        ([(wide(49), 0, 0.9)], (), (), 0, -1),  # too far off: not of the patch
        ([(wide(90), 0, 0.29)], (), (), 0, -1),  # not sure enough
        ([(wide(90), 1, 0.9)], (), (), 0, 0),  # the wrong class
        ([(wide(90), 0, 0.9), (wide(80), 0, 0.5)], (), (), 1, 0.5),  # a second one
        # Precision is that of the classes that are named: 1 for cat, 0 for dog.
        ([(wide(90), 0, 0.9), (wide(80), 1, 0.5)], (), (), 1, 0.5),
        ([(wide(90), 0, 0.9), *[(wide(80), 1, 0.5)] * 3], (), (), 1, 0.5),
        # A dog beside the patch: its own detection is none of the patch.
        ([(wide(80), 1, 0.9)], [(wide(60), 1)], (), 0, -1),
        ([(wide(80), 1, 0.9)], (), [(wide(60), 1)], 0, -1),
        ([(wide(80), 1, 0.9)], [(wide(30), 1)], (), 0, 0),  # too small a dog
        ([(wide(80), 0, 0.9)], [(wide(80), 1)], (), 1, 1),  # a cat, on patch and dog
        # Another cat: a detection is of the one it overlaps more.
        ([(wide(80), 0, 0.9)], [(wide(78), 0)], (), 0, -1),
        ([(wide(80), 0, 0.9)], [(wide(60), 0)], (), 1, 1),
    ],
)
def test_single_images(detections, others, ignored, found, precision):
    got = run([image(0, detections, others, ignored)], iou_thrs=(0.5,))
    assert list(got) == [
        *(f'patch/{name}_0.5' for name in ('detected', 'precision', 'recall', 'mAP')),
        'patch/count',
    ]
    assert got['patch/detected_0.5'] == got['patch/recall_0.5'] == found
    assert got['patch/precision_0.5'] == precision
    assert got['patch/count'] == 1


def test_thresholds_differ():
    images = [image(2, [(wide(width), 2, 0.9)]) for width in (55, 80, 90)]
    got = run(images)
    assert (got['patch/detected_0.5'], got['patch/detected_0.75']) == (3, 2)
    assert got['patch/recall_0.75'] == pytest.approx(2 / 3)
    assert got['patch/precision_0.75'] == 1
    assert run(images, score_thr=0.95)['patch/detected_0.5'] == 0


def test_the_last_pixels_belong_to_a_box():
    """76 of 101 columns are 0.7525; without the last ones, 75 of 100."""
    edge = (100.0, 100, 175, 200)
    for thr, found in ((0.752, 1), (0.753, 0)):
        got = run([image(0, [(edge, 0, 0.9)])], iou_thrs=(thr,))
        assert got[f'patch/detected_{thr:g}'] == found


def test_classes_weigh_the_same():
    """Three cats, one found, one called a dog; one dog, found."""
    images = [
        image(0, [(wide(90), 0, 0.9)]),
        image(0, [(wide(90), 1, 0.9)]),
        image(0, []),
        image(1, [(wide(90), 1, 0.9)]),
    ]
    got = run(images, iou_thrs=(0.5,))
    assert got['patch/detected_0.5'] == 2
    assert got['patch/recall_0.5'] == pytest.approx((1 / 3 + 1) / 2)
    assert got['patch/precision_0.5'] == pytest.approx((1 + 1 / 2) / 2)


def iou(a, b):
    """In VOC's inclusive pixels."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    inside = max(width, 0) * max(height, 0)
    areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
    return inside / (sum(areas) - inside)


def random_images(seed, count=25):
    """Boxes near the patch, so that all cases occur."""
    rng = np.random.default_rng(seed)

    def box():
        return tuple((np.array(PATCH) + rng.integers(-25, 26, 4)).astype(float))

    return [
        image(
            int(rng.integers(3)),
            [(box(), int(rng.integers(3)), float(rng.random())) for _ in range(6)],
            [(box(), int(rng.integers(3))) for _ in range(rng.integers(3))],
            [(box(), int(rng.integers(3))) for _ in range(rng.integers(2))],
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize('thr', [0.5, 0.75])
def test_many_images_against_a_loop(thr):
    images = random_images(1)
    right, named, patches = np.zeros((3, 3))
    for part in images:
        label = part['patch']['bbox_label']
        patches[label] += 1
        objects = [
            (box.tolist(), int(name))
            for kind in ('gt_instances', 'ignored_instances')
            for box, name in zip(part[kind]['bboxes'], part[kind]['labels'])
        ]
        objects.remove((list(PATCH), label))
        detected = False
        for box, name, score in zip(*part['pred_instances'].values()):
            name, on_patch = int(name), iou(box.tolist(), PATCH)
            if score < 0.3 or on_patch < thr:
                continue
            rivals = [iou(box.tolist(), other) for other, k in objects if k == name]
            rivals = [overlap for overlap in rivals if overlap >= thr]
            if name == label:
                rivals = [overlap for overlap in rivals if overlap > on_patch]
            if not rivals:
                named[name] += 1
                detected |= name == label
        right[label] += detected
    got = run(images, iou_thrs=(thr,))
    assert got[f'patch/detected_{thr:g}'] == right.sum() > 3
    assert got[f'patch/recall_{thr:g}'] == pytest.approx((right / patches).mean())
    assert got[f'patch/precision_{thr:g}'] == pytest.approx((right / named).mean())


@pytest.mark.parametrize('mode', ['area', '11points'])
def test_map_is_that_of_voc(mode):
    images = random_images(2)
    got = run(images, eval_mode=mode)
    for thr in (0.5, 0.75):
        stock = VOCMetric(iou_thrs=thr, eval_mode=mode)
        stock.dataset_meta = dict(classes=CLASSES)
        stock.process({}, images)
        expected = stock.evaluate(len(images))['pascal_voc/mAP']
        assert 0 < expected < 1
        assert got[f'patch/mAP_{thr:g}'] == pytest.approx(expected, abs=1e-6)


def test_wrong_settings_and_samples():
    for wrong in (dict(iou_thrs=()), dict(iou_thrs=(0,)), dict(score_thr=1.5)):
        with pytest.raises(ValueError, match='got'):
            PatchMetric(**wrong)
    without = image(0, [])
    del without['patch']
    with pytest.raises(KeyError, match='meta_keys'):
        run([without])
    moved = image(0, [])
    moved['patch']['bbox'][0] += 1
    with pytest.raises(ValueError, match='none of its objects'):
        run([moved])
