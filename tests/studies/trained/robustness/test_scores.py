"""Perturbations, and what is done once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

import mmmix.studies.trained.robustness.scores as scoring
from mmmix.datasets import GaussianNoise
from mmmix.studies.trained.images.decoded import DecodedImages
from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.models.detection_scores import DetectionScores
from mmmix.studies.trained.models.fingerprint import fingerprint
from mmmix.studies.trained.models.loading import load_detector
from mmmix.studies.trained.models.prediction import batches, predict
from mmmix.studies.trained.results.store import ResultStore
from mmmix.studies.trained.robustness.perturbations import (
    CLEAN,
    CORRUPTIONS,
    Perturbation,
    parse_perturbations,
)
from mmmix.studies.trained.robustness.perturbed_images import PerturbedImages
from mmmix.studies.trained.robustness.scores import PerturbedSet, score_perturbed


def names(*texts):
    return [str(perturbation) for perturbation in parse_perturbations(texts)]


def test_perturbations_of_the_command_line():
    noise = ['gaussian:0.1', 'gaussian:0.2', 'gaussian:0.4']
    assert names('gaussian') == ['clean', *noise]
    assert names('gaussian', 'clean', 'gaussian:0.2,1') == [
        'clean',
        *noise,
        'gaussian:1',
    ]
    assert names('fgsm', 'fgsm:2') == ['clean', 'fgsm:8', 'fgsm:2']
    every = names('corruptions')
    assert len(every) == 76
    assert every[1:7] == [*(f'gaussian_noise:{k}' for k in range(1, 6)), 'shot_noise:1']
    assert names('corruptions:3')[1:] == [f'{name}:3' for name in CORRUPTIONS]
    assert names('boundary:0.5', 'fog:1') == ['clean', 'boundary:0.5', 'fog:1']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('rain', "no perturbation 'rain'; there are clean, corruptions, gaussian"),
        ('gaussian:x', "KIND or KIND:LEVEL,LEVEL .* got 'gaussian:x'"),
        ('gaussian:-1', 'gaussian:-1 expects a level >= 0'),
        ('gaussian:nan', 'expects a level >= 0'),
        ('hole:1.2', 'hole:1.2 expects a share from 0 to 1'),
        ('fog:6', 'fog:6 expects a severity from 1 to 5'),
        ('fog:1.5', 'expects a severity'),
    ],
)
def test_no_perturbation(text, message):
    with pytest.raises(ValueError, match=message):
        parse_perturbations([text])


def test_transforms_follow_the_preprocessor(tiny_study):
    def transform(kind, fill='mean'):
        return Perturbation(kind, 0.5).transform(tiny_study.detector, 4, fill)

    assert transform('gaussian') == dict(type='GaussianNoise', sigma=0.5, seed=4)
    assert transform('gaussian-normalized')['scale'] == 'normalized'
    np.testing.assert_allclose(
        transform('gaussian-normalized')['std'], [58.395, 57.12, 57.375]
    )
    np.testing.assert_allclose(transform('hole')['fill'], [123.675, 116.28, 103.53])
    assert transform('boundary', 'black')['fill'] == [0, 0, 0]
    assert [transform(k)['region'] for k in ('hole', 'boundary')] == [
        'center',
        'boundary',
    ]
    assert transform('fgsm') is None
    assert Perturbation('fog', 2.0).transform(tiny_study.detector, 4, 'mean') == dict(
        type='CommonCorruption', name='fog', severity=2, seed=4
    )


def test_images_are_decoded_and_perturbed_once(tiny_study, monkeypatch):
    monkeypatch.chdir(tiny_study.root)
    detector = tiny_study.detector
    dataset = build_split(detector, 'test')
    images = DecodedImages(detector, dataset, 4e9)
    first, again = ([images[index] for index in range(4)] for _ in range(2))
    assert images.decoded == 4
    assert all(a[0] is b[0] for a, b in zip(first, again))
    assert first[2][1]['img_id'] == 'c2'
    one = first[0][0].nbytes
    tight = DecodedImages(detector, dataset, 2.5 * one)
    for _ in range(3):
        assert all((tight[k][0] == first[k][0]).all() for k in range(4))
    assert tight.decoded == 2 + 3 * 2
    pixels, infos = zip(*first)
    perturbed = PerturbedImages(pixels, infos, Perturbation('gaussian', 0.2), 7, 'mean')
    noisy = perturbed.for_model(detector)
    assert perturbed.for_model(detector) is noisy
    for image, info, got in zip(pixels, infos, noisy):
        expected = GaussianNoise(0.2, seed=7)({**info, 'img': image})['img']
        assert (got == expected).all()
    assert (
        PerturbedImages(pixels, infos, CLEAN, 7, 'mean').for_model(detector) is pixels
    )


def test_a_study_goes_on(tiny_study, monkeypatch, tmp_path):
    monkeypatch.chdir(tiny_study.root)
    options = {'model.test_cfg.score_thr': 0.1}
    first, second = tiny_study.detector, load_detector(tiny_study.spec, 'cpu', options)
    dataset = build_split(first, 'test')
    seen = []

    def recorded(detector, images, infos, batch_size):
        seen.append((detector, [info['img_id'] for info in infos]))
        return predict(detector, images, infos, batch_size)

    def study(detectors, texts, images):
        store = ResultStore(tmp_path / 'results.json', {})
        sets = {
            perturbation: PerturbedSet(images, dataset.metainfo, perturbation)
            for perturbation in parse_perturbations(texts)
        }
        return score_perturbed(detectors, sets, store, batch_size=3)

    monkeypatch.setattr(scoring, 'predict', recorded)
    images = [DecodedImages(first, dataset, 4e9) for _ in range(2)]
    study([first], ['hole:0.5'], images[0])
    assert seen == [(first, ['c0', 'c1', 'c2']), (first, ['c3'])] * 2
    del seen[:]
    records = study([first, second], ['hole:0.5'], images[1])
    assert [detector for detector, _ in seen] == [second] * 4
    assert images[1].decoded == 4
    assert [r['perturbation'] for r in records] == ['clean'] * 2 + ['hole:0.5'] * 2
    assert set(records[0]['metrics']) >= {'pascal_voc/mAP', 'coco/AP', 'coco/AP75'}
    del seen[:]
    study([second, first], ['hole:0.5'], images[1])
    assert seen == []


def test_results_of_the_attack_on_batches_are_made_again(
    tiny_study, monkeypatch, tmp_path
):
    monkeypatch.chdir(tiny_study.root)
    detector, store = tiny_study.detector, ResultStore(tmp_path / 'results.json', {})
    mark, old = fingerprint(detector), {'pascal_voc/mAP': 0.25}
    store[f'{mark} on clean'] = store[f'{mark} on fgsm:8'] = old
    dataset = build_split(detector, 'test', limit=1)
    images = DecodedImages(detector, dataset, 4e9)
    sets = {
        perturbation: PerturbedSet(images, dataset.metainfo, perturbation)
        for perturbation in parse_perturbations(['fgsm'])
    }
    for _ in range(2):  # and kept from then on
        clean, attacked = score_perturbed([detector], sets, store, batch_size=1)
        assert clean['metrics'] == old
        assert attacked['perturbation'] == 'fgsm:8'
        assert 'coco/AP' in attacked['metrics']
        assert len(store) == 3


def detections(image, right):
    """The object of an image and, if not ``right``, a box beside it."""
    box = [40.0, 30.0, 120.0, 130.0]
    hard = dict(bbox=[0, 0, 20, 20], bbox_label=1, ignore_flag=1)
    objects = [dict(bbox=box, bbox_label=image, ignore_flag=0), hard]
    sample = DetDataSample(
        metainfo=dict(img_id=f'c{image}', ori_shape=(160, 180), instances=objects)
    )
    found = torch.tensor([box if right else [130.0, 30, 170, 60], [0.0, 0, 20, 20]])
    sample.pred_instances = InstanceData(
        bboxes=found, scores=torch.tensor([0.9, 0.8]), labels=torch.tensor([image, 1])
    )
    return sample


def test_scores_of_known_detections(tiny_study, capsys):
    meta = dict(classes=tiny_study.detector.classes)
    scores = DetectionScores(tiny_study.detector.cfg, meta)
    samples = [detections(image, image != 3) for image in (0, 2, 3, 4)]
    for part in batches(4, 3):
        scores.add([samples[index] for index in part])
    result = scores.result()
    # Three of four classes are found; what is to be ignored counts for nothing.
    assert result['pascal_voc/mAP'] == pytest.approx(0.75)
    assert result['coco/AP'] == pytest.approx(0.75)
    assert result['coco/AP_S'] == -1
    assert capsys.readouterr().out == ''
