"""Tests of CocoStyleMetric against pycocotools' own evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmmix.evaluation import CocoStyleMetric

CLASSES = ('cat', 'dog', 'horse')
COLUMNS = (
    *('AP', 'AP50', 'AP75', 'AP_S', 'AP_M', 'AP_L'),
    *('AR_1', 'AR_10', 'AR_100', 'AR_S', 'AR_M', 'AR_L'),
)
FALSE = 60
WIDTH, HEIGHT = 400, 300
ROUNDING = 5.1e-4


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, 4) xyxy boxes, small to large in COCO's sense."""
    size = rng.choice([20, 60, 140], (count, 1)) * rng.uniform(0.7, 1.3, (count, 2))
    corner = rng.uniform(0, 1, (count, 2)) * (np.array([WIDTH, HEIGHT]) - size)
    return np.hstack([corner, corner + size])


def make_image(rng: np.random.Generator, img_id: str | int) -> dict:
    """One data sample: 4 objects, noisy detections of most, 60 false ones."""
    truth, labels = boxes(rng, 4), rng.integers(3, size=4)
    found = rng.random(4) < 0.8
    near = truth[found] + rng.normal(0, 2, (found.sum(), 4))
    scores = np.concatenate([rng.uniform(0.5, 1, found.sum()), rng.random(FALSE)])
    return dict(
        img_id=img_id,
        ori_shape=(HEIGHT, WIDTH),
        instances=[
            dict(bbox=box.tolist(), bbox_label=int(label), ignore_flag=int(k == 3))
            for k, (box, label) in enumerate(zip(truth, labels))
        ],
        pred_instances=dict(
            bboxes=torch.tensor(np.vstack([near, boxes(rng, FALSE)])),
            scores=torch.tensor(scores),
            labels=torch.tensor(
                np.concatenate([labels[found], rng.integers(3, size=FALSE)])
            ),
        ),
    )


def make_images(ids: list, seed: int = 0) -> list[dict]:
    """Data samples with the given ids."""
    rng = np.random.default_rng(seed)
    return [make_image(rng, img_id) for img_id in ids]


def xywh(box: list[float]) -> list[float]:
    """A corner box as COCO writes it."""
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def coco_truth(images: list[dict]) -> dict:
    """The annotations of the images as a COCO file."""
    objects = [(image['img_id'], obj) for image in images for obj in image['instances']]
    return dict(
        images=[
            dict(id=image['img_id'], width=WIDTH, height=HEIGHT) for image in images
        ],
        categories=[dict(id=7 + k, name=name) for k, name in enumerate(CLASSES)],
        annotations=[
            dict(
                id=number,
                image_id=img_id,
                category_id=7 + obj['bbox_label'],
                bbox=xywh(obj['bbox']),
                area=xywh(obj['bbox'])[2] * xywh(obj['bbox'])[3],
                iscrowd=obj['ignore_flag'],
            )
            for number, (img_id, obj) in enumerate(objects, start=1)
        ],
    )


def reference(truth_file: Path, images: list[dict]) -> np.ndarray:
    """The twelve numbers of pycocotools, with none of mmdet in between."""
    truth = COCO(str(truth_file))
    detections = [
        dict(
            image_id=image['img_id'],
            category_id=7 + int(label),
            bbox=xywh(box.tolist()),
            score=float(score),
        )
        for image in images
        for box, score, label in zip(*image['pred_instances'].values())
    ]
    evaluation = COCOeval(truth, truth.loadRes(detections), 'bbox')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


def run(metric: CocoStyleMetric, images: list[dict]) -> dict[str, float]:
    """Evaluate all images in batches of two, as a loop does."""
    metric.dataset_meta = dict(classes=CLASSES)
    for k in range(0, len(images), 2):
        metric.process({}, images[k : k + 2])
    return metric.evaluate(len(images))


@pytest.fixture
def truth_file(tmp_path):
    """Writes the COCO file of some images and returns its path."""

    def write(images: list[dict]) -> Path:
        path = tmp_path / 'truth.json'
        path.write_text(json.dumps(coco_truth(images)))
        return path

    return write


@pytest.mark.parametrize('with_file', [False, True], ids=('instances', 'ann_file'))
@pytest.mark.parametrize(
    'ids', [['000005', '000012', '2008_000003', 'x', 'y', 'z'], list(range(3, 9))]
)
def test_columns_equal_those_of_pycocotools(truth_file, ids, with_file):
    images = make_images(ids)
    path = truth_file(images)
    ann_file = dict(ann_file=str(path)) if with_file else {}
    metric = METRICS.build(dict(type='CocoStyleMetric', **ann_file))
    got = run(metric, images)
    expected = reference(path, images)
    assert list(got) == [f'coco/{column}' for column in COLUMNS]
    np.testing.assert_allclose(list(got.values()), expected, atol=ROUNDING)
    # The case tells the columns apart, so no two of them can be swapped.
    assert len(set(np.round(expected, 3))) == 12


def test_recall_counts_one_ten_and_a_hundred_detections():
    """Recalls by hand: one class, two objects, the second at rank 5 and 11."""
    square = torch.tensor([[0.0, 0, 100, 100], [200.0, 0, 300, 100]])
    for rank, expected in ((5, (0.5, 1.0, 1.0)), (11, (0.5, 0.5, 1.0))):
        scores = torch.linspace(1, 0.1, 12)
        bboxes = torch.full((12, 4), 350.0)
        bboxes[:, 2:] = 390
        bboxes[0], bboxes[rank - 1] = square
        image = dict(
            img_id='a',
            ori_shape=(HEIGHT, WIDTH),
            instances=[
                dict(bbox=box.tolist(), bbox_label=0, ignore_flag=0) for box in square
            ],
            pred_instances=dict(
                bboxes=bboxes, scores=scores, labels=torch.zeros(12, dtype=torch.long)
            ),
        )
        got = run(CocoStyleMetric(), [image])
        assert tuple(got[f'coco/AR_{k}'] for k in (1, 10, 100)) == expected
        assert got['coco/AR_L'] == 1.0
        assert got['coco/AR_S'] == got['coco/AP_S'] == -1


def test_a_second_evaluation_is_independent_of_the_first():
    """One metric object serves every validation of a run."""
    metric, first, second = CocoStyleMetric(), make_images(['a', 'b']), []
    for image, other in zip(first, make_images(['a', 'b'], seed=1)):
        second.append(dict(image, pred_instances=other['pred_instances']))
    before, after = run(metric, first), run(metric, second)
    assert before != after
    assert after == run(CocoStyleMetric(), second)


def test_a_model_without_detections_scores_zero():
    """Early validation of a run from scratch must not stop it."""
    images = make_images(['a', 'b'])
    for image in images:
        image['pred_instances'] = dict(
            bboxes=torch.zeros(0, 4),
            scores=torch.zeros(0),
            labels=torch.zeros(0, dtype=torch.long),
        )
    assert run(CocoStyleMetric(), images) == {f'coco/{name}': 0.0 for name in COLUMNS}


@pytest.mark.parametrize('classwise', [False, True])
@pytest.mark.parametrize('sides', [(20,), (60, 140), (20, 140), ()])
def test_without_detections_as_with_a_wrong_one(sides, classwise):
    """A size without objects is -1 in either case, one with objects 0."""
    images = make_images(['a', 'b'])
    for image in images:
        image['instances'] = [
            dict(bbox=[9.0, 9, 9 + side, 9 + side], bbox_label=1, ignore_flag=0)
            for side in sides
        ]
    got = []
    for count in (0, 1):
        for image in images:
            image['pred_instances'] = dict(
                bboxes=torch.tensor([[390.0, 290, 399, 299]])[:count],
                scores=torch.tensor([0.9])[:count],
                labels=torch.tensor([1])[:count],
            )
        got.append(run(CocoStyleMetric(classwise=classwise), images))
    columns = list(got[0])
    assert columns == list(got[1])
    np.testing.assert_array_equal(list(got[0].values()), list(got[1].values()))
    for size, side in dict(S=20, M=60, L=140).items():
        expected = 0 if side in sides else -1
        assert got[0][f'coco/AP_{size}'] == got[0][f'coco/AR_{size}'] == expected
    assert got[0]['coco/AP'] == got[0]['coco/AR_100'] == (0 if sides else -1)


def test_classwise_comes_after_the_columns():
    got = run(CocoStyleMetric(classwise=True), make_images(['a', 'b', 'c']))
    assert list(got)[:12] == [f'coco/{column}' for column in COLUMNS]
    assert set(list(got)[12:]) == {f'coco/{name}_precision' for name in CLASSES}
    classes = [got[f'coco/{name}_precision'] for name in CLASSES]
    assert np.mean(classes) == pytest.approx(got['coco/AP'], abs=1e-3)


def test_format_only_writes_and_scores_nothing(tmp_path):
    metric = CocoStyleMetric(format_only=True, outfile_prefix=str(tmp_path / 'out'))
    images = make_images(['a', 'b'])
    assert run(metric, images) == {}
    written = json.loads((tmp_path / 'out.bbox.json').read_text())
    assert len(written) == sum(len(i['pred_instances']['scores']) for i in images)


@pytest.mark.parametrize(
    'setting', [dict(metric='segm'), dict(proposal_nums=(1,)), dict(metric_items=[])]
)
def test_fixed_columns_cannot_be_changed(setting):
    with pytest.raises(TypeError, match=next(iter(setting))):
        CocoStyleMetric(**setting)
