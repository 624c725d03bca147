"""The studies of uncertainty, calibration and flattening, and the side by side."""

from __future__ import annotations

import csv
import json
import runpy

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets import XMLDataset
from mmdet.registry import DATASETS
from mmengine.dataset import pseudo_collate

import mmmix.studies.trained.sweep as sweeping
from mmmix.commands.image_intervals import intervals
from mmmix.studies.trained.image_bootstrap import class_hits, mean_precision
from mmmix.studies.trained.models.detection_scores import DetectionScores
from mmmix.studies.trained.models.fingerprint import fingerprint
from tests.studies.trained.conftest import tiny_study  # noqa: F401  a fixture


@pytest.fixture
def study(tiny_study, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tiny_study.root)
    return tiny_study


def run(tool, study, out, *options, models=2):
    """Run a tool on one model under two names, and read its table."""
    _, config, checkpoint = study.spec
    specs = [f'{name}={config}@{checkpoint}' for name in ('one', 'two')[:models]]
    main = runpy.run_module(f'mmmix.commands.{tool}')['main']
    main([*specs, '--out', str(out), '--device', 'cpu', *options])
    tables = list(out.glob('*.csv'))
    if not tables:
        return []
    with tables[0].open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


def stock_batch(study):
    """The test images as mmdet's own loader gives them."""
    dataset = DATASETS.build(study.detector.cfg.test_dataloader.dataset)
    return pseudo_collate([dataset[index] for index in range(len(dataset))])


def test_uncertainty(study, tmp_path, monkeypatch):
    image, folder = np.full((30, 40, 3), 90, np.uint8), tmp_path / 'grey'
    folder.mkdir()
    cv2.imwrite(str(folder / 'x.png'), image)
    options = ('--outside', f'grey={folder}')
    rows = run('uncertainty', study, tmp_path / 'out', *options)
    assert [(row['against'], row['model']) for row in rows] == [
        (against, model)
        for against in ('uniform', 'gaussian', 'grey')
        for model in ('one', 'two')
    ]
    with torch.no_grad():
        found = study.detector.model.test_step(stock_batch(study))
    inside = [float(sample.pred_instances.scores.max()) for sample in found]
    parts = json.loads((tmp_path / 'out/results.json').read_text())['parts']
    (stored,) = (scores for key, scores in parts.items() if key.endswith(' on test'))
    assert stored == pytest.approx(inside, rel=1e-5)
    for row in rows:
        assert 0 <= float(row['AUROC']) <= 1
        assert float(row['detection accuracy']) >= 0.5
        assert row['Δ AUROC'] == ('' if row['model'] == 'one' else '0.0')
    assert cv2.imread(str(tmp_path / 'out/uncertainty.png')).std() > 10
    # Nothing is left to do, and the table is the same.
    monkeypatch.setattr(sweeping, 'predict', None)
    assert run('uncertainty', study, tmp_path / 'out', *options) == rows
    # Other images are not taken for those that were measured.
    cv2.imwrite(str(folder / 'y.png'), image)
    with pytest.raises(ValueError, match='outside: .*1 images of .* there, .*2 images'):
        run('uncertainty', study, tmp_path / 'out', *options)
    (folder / 'y.png').unlink()
    cv2.imwrite(str(folder / 'x.png'), image[:20])
    with pytest.raises(ValueError, match=r'settings \(files: '):
        run('uncertainty', study, tmp_path / 'out', *options)


def test_in_between(study, tmp_path):
    options = ('--lams', '0', '0.5', '1', '--score-thr', '0.05')
    rows = run('in_between', study, tmp_path, *options, models=1)
    table = {(row['way'], float(row['λ'])): row for row in rows}
    assert len(table) == 6
    with torch.no_grad():
        found = study.detector.model.test_step(stock_batch(study))
    mean = np.mean([float(sample.pred_instances.scores.max()) for sample in found])
    # Each image is a once and b once, so both ends see all images as they are.
    for way in ('blend', 'cut'):
        first, last = table[way, 0.0], table[way, 1.0]
        assert float(first['score']) == pytest.approx(mean, rel=1e-5)
        assert float(last['score']) == pytest.approx(mean, rel=1e-5)
        assert float(first['hit']) == float(last['hit'])
        assert float(first['found of b']) == float(last['found of a'])
    assert (tmp_path / 'in_between.png').stat().st_size > 1000


def test_calibration(study, tmp_path):
    options = ('--min-score', '0.1', '--ious', '0.1', '0.75', '--bins', '10')
    rows = run('calibration', study, tmp_path, *options)
    with torch.no_grad():
        found = study.detector.model.test_step(stock_batch(study))
    scores = torch.cat([sample.pred_instances.scores for sample in found])
    scores = scores[scores >= 0.1].double()
    assert [row['IoU'] for row in rows] == ['0.1', '0.1', '0.75', '0.75']
    for row in rows:
        assert float(row['detections']) == len(scores)
        assert float(row['mean score']) == pytest.approx(float(scores.mean()))
        gap = float(row['mean score']) - float(row['precision'])
        assert float(row['score - precision']) == pytest.approx(gap)
        assert float(row['D-ECE']) >= abs(gap) - 1e-9
    assert float(rows[0]['precision']) >= float(rows[2]['precision'])
    assert cv2.imread(str(tmp_path / 'calibration.png')).std() > 10


def test_a_value_that_is_given_twice_counts_once(study, tmp_path):
    """Not as two seeds, and not as that of another λ."""
    twice = ('--ious', '0.5', '0.5', '0.75')
    rows = run('calibration', study, tmp_path / 'c', *twice, '--min-score', '0')
    assert [row['IoU'] for row in rows] == ['0.5', '0.5', '0.75', '0.75']
    assert rows[0]['precision_std'] == rows[1]['Δ D-ECE_std'] == ''
    lams = ('--ways', 'blend', 'blend', 'cut', '--lams', '0', '0', '1')
    rows = run('in_between', study, tmp_path / 'i', *lams, models=1)
    assert [(row['way'], row['λ'], row['score_std']) for row in rows] == [
        (way, lam, '') for way in ('blend', 'cut') for lam in ('0.0', '1.0')
    ]


def test_image_intervals(study, tmp_path):
    first, second = run('image_intervals', study, tmp_path, '--resamples', '100')
    dataset = DATASETS.build(study.detector.cfg.test_dataloader.dataset)
    scores = DetectionScores(study.detector.cfg, dataset.metainfo)
    with torch.no_grad():
        found = study.detector.model.test_step(stock_batch(study))
    scores.add(found)
    expected = scores.result()['pascal_voc/mAP']
    assert float(first['mAP']) == pytest.approx(expected, abs=1e-6)
    assert float(first['low']) <= float(first['mAP']) <= float(first['high'])
    # the same model under two names
    assert [float(second[f'Δ {name}']) for name in ('mAP', 'low', 'high')] == [0, 0, 0]


def test_resamples_without_an_object_tell_nothing():
    """Nor do they take the interval of all others away."""
    hits = class_hits([[[[0.9, 1.0]]], [[]]], [[1], [0]])
    weights = np.array([[1.0, 1], [2, 0], [0, 2], [1, 1]])
    values = mean_precision(hits, weights)
    np.testing.assert_array_equal(values, [1, 1, np.nan, 1])
    values = np.array([0.5, 0.25, np.nan, 0.75])
    (row,) = intervals({'a': [values]})
    assert row['mAP'] == 0.5
    assert (row['low'], row['high']) == pytest.approx((0.2625, 0.7375))


@pytest.mark.parametrize('tool', ['calibration', 'image_intervals'])
def test_a_model_that_is_through_is_kept(study, tmp_path, monkeypatch, tool):
    """Whatever ends the command while the next one is at it."""
    _, config, checkpoint = study.spec
    other = tmp_path / 'other.py'
    other.write_text(f'_base_ = {config!r}\nmodel = dict(test_cfg=dict(max_per_img=9))')
    models = [f'{path}@{checkpoint}' for path in (config, other)]
    predict = sweeping.predict

    def stopped(detector, *args):
        if detector.name == 'other':
            raise KeyboardInterrupt
        return predict(detector, *args)

    monkeypatch.setattr(sweeping, 'predict', stopped)
    main = runpy.run_module(f'mmmix.commands.{tool}')['main']
    with pytest.raises(KeyboardInterrupt):
        main([*models, '--out', str(tmp_path / 'out'), '--device', 'cpu'])
    parts = json.loads((tmp_path / 'out/results.json').read_text())['parts']
    assert list(parts) == [f'{fingerprint(study.detector)} on test']


def test_results_of_corrected_annotations_are_not_mixed_with_older_ones(
    study, tmp_path, monkeypatch
):
    run('image_intervals', study, tmp_path, '--resamples', '100')
    parsed = XMLDataset._parse_instance_info
    monkeypatch.setattr(
        XMLDataset, '_parse_instance_info', lambda *args, **kw: parsed(*args, **kw) * 2
    )
    with pytest.raises(ValueError, match='other settings .annotations: .* use another'):
        run('image_intervals', study, tmp_path, '--resamples', '100')


def test_flattening(study, tmp_path):
    rows = run('plot_flattening', study, tmp_path, '--classes', 'zero', '--batch', '3')
    table = {(row['class'], row['model']): row for row in rows}
    assert table['zero', 'one']['A1'] == ''  # one image
    model, batch = study.detector.model, stock_batch(study)
    with torch.no_grad():
        inputs = model.data_preprocessor(batch, False)['inputs']
        maps = model.bbox_head(model.extract_feat(inputs))[0]
    for level, logits in enumerate(maps, 1):
        rows = logits.flatten(1).double()
        values = torch.linalg.svdvals(rows - rows.mean(dim=0)) ** 2
        share = float(values[0] / values.sum())
        got = table['all classes', 'two']
        assert float(got[f'A{level}']) == pytest.approx(share, abs=1e-4)
        assert float(got[f'Δ A{level}']) == 0
    assert cv2.imread(str(tmp_path / 'flattening.png')).std() > 5
    with pytest.raises(ValueError, match="'cat'"):
        run('plot_flattening', study, tmp_path, '--classes', 'cat')


def test_side_by_side(study, tmp_path, capsys):
    choose = ('--choose', 'differ', '--num-images', '1')
    noise = ('--perturbations', 'gaussian:0.4', '--score-thr', '0.2')
    run('compare_detections', study, tmp_path, *choose, *noise)
    assert '2 rows, detections of 0.2 and more' in capsys.readouterr().out
    picture = cv2.imread(str(tmp_path / 'side_by_side.png'))
    assert picture.shape == (2 * 3 * 120, round(3 * 3.2 * 120), 3)
    folder = ('--folder', str(study.root / 'data/digits/JPEGImages'))
    run('compare_detections', study, tmp_path, *folder, '--num-images', '1', models=1)
    picture = cv2.imread(str(tmp_path / 'side_by_side.png'))
    assert picture.shape == (360, 384, 3)  # no column of annotations
    with pytest.raises(KeyError, match='no images'):
        run('compare_detections', study, tmp_path, '--ids', 'c0', 'nobody')
    with pytest.raises(SystemExit):
        run('compare_detections', study, tmp_path, '--perturbations', 'fgsm')
