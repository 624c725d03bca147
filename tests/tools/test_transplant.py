"""test_transplant.py from the command line to its files."""

from __future__ import annotations

import csv
import json
import runpy

import cv2
import numpy as np
import pytest
import torch
from mmdet.evaluation import VOCMetric

import mmmix.studies.trained.transplantation as transplantation
from mmmix.datasets import TransplantPatch
from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.transplantation import averaged
from tests.studies.trained.conftest import tiny_study  # noqa: F401  a fixture

TOOL = 'mmmix.commands.transplant'


def run(study, out, *options, names=('one', 'two')):
    _, config, checkpoint = study.spec
    specs = [f'{name}={config}@{checkpoint}' for name in names]
    options = ('--patches', 'patches', '--copies', '2', '--device', 'cpu', *options)
    runpy.run_module(TOOL)['main']([*specs, '--out', str(out), *options])
    with (out / 'transplant.csv').open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


@pytest.fixture
def study(tiny_study, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tiny_study.root)
    bgra = np.full((40, 30, 4), 200, np.uint8)
    for name in ('two', 'five'):
        (tiny_study.root / 'patches' / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tiny_study.root / f'patches/{name}/1.png'), bgra)
    return tiny_study


def test_two_models(study, tmp_path, monkeypatch):
    options = ('--score-thr', '0.1', '--ious', '0.1', '0.5', '--num-images', '2')
    rows = run(study, tmp_path, *options)
    assert [(row['IoU'], row['model']) for row in rows] == [
        (iou, model) for iou in ('0.1', '0.5') for model in ('one', 'two')
    ]
    parts = json.loads((tmp_path / 'results.json').read_text())['parts']
    assert [key.split(' ', 1)[1] for key in parts] == ['on copy 0', 'on copy 1']
    for row in rows:
        copies = [part[f'detected_{row["IoU"]}'] for part in parts.values()]
        assert float(row['patches detected']) == sum(copies)
        copies = [part[f'mAP_{row["IoU"]}'] for part in parts.values()]
        assert float(row['mAP']) == pytest.approx(np.mean(copies), abs=1e-9)
        assert row['Δ mAP'] == ('' if row['model'] == 'one' else '0.0')
    expected = patched_map(study, 0.1)
    assert list(parts.values())[1]['mAP_0.1'] == pytest.approx(expected, abs=1e-6)
    picture = cv2.imread(str(tmp_path / 'patched.png'))
    assert picture.shape == (2 * 3 * 120, round(3 * 3.2 * 120), 3)
    assert cv2.imread(str(tmp_path / 'transplant.png')).std() > 10
    monkeypatch.setattr(transplantation.PatchedSet, 'load', None)
    assert run(study, tmp_path, *options) == rows
    with pytest.raises(ValueError, match='measure'):
        run(study, tmp_path, *options, '--measure', 'side')
    # An IoU that is given twice is no second seed.
    assert run(study, tmp_path, *options[:5], '0.1', *options[5:]) == rows


def patched_map(study, iou):
    """The mAP of copy 1 by mmdet's metric, on images that are patched one by one."""
    detector = study.detector
    dataset = build_split(detector)
    transform = TransplantPatch('patches', detector.classes, copy=1)
    metric = VOCMetric(iou_thrs=iou, eval_mode='11points')
    metric.dataset_meta = dict(classes=detector.classes)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        patched = transform({**info, 'img': detector.read_image(info)})
        (sample,) = predict(detector, [patched['img']], [info])
        boxes = [one['bbox'] for one in patched['instances']]
        labels = [one['bbox_label'] for one in patched['instances']]
        assert len(boxes) == 2
        sample = sample.to_dict()
        sample['gt_instances'] = dict(
            bboxes=torch.tensor(boxes), labels=torch.tensor(labels)
        )
        nothing = dict(bboxes=torch.zeros(0, 4), labels=torch.zeros(0))
        sample['ignored_instances'] = nothing
        metric.process({}, [sample])
    return metric.evaluate(len(dataset))['pascal_voc/mAP']


def test_averages_over_copies():
    copies = [
        {'detected_0.5': 3.0, 'precision_0.5': 0.5, 'recall_0.5': 0.2, 'mAP_0.5': 0.4},
        {'detected_0.5': 0.0, 'precision_0.5': -1, 'recall_0.5': 0.0, 'mAP_0.5': 0.2},
    ]
    row = averaged(copies, 0.5)
    assert row == {
        'patches detected': 3,
        'patch precision': 0.5,
        'patch recall': 0.1,
        'mAP': pytest.approx(0.3),
    }
    assert averaged(copies[1:], 0.5)['patch precision'] is None


def test_wrong_arguments(study, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(study, tmp_path, '--copies', '0')
    assert 'at least 1' in capsys.readouterr().err
