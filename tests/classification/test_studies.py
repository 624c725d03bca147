"""The studies of trained detectors, on a classifier."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.registry import MODELS

from mmmix.commands import calibration, in_between, robustness, uncertainty
from mmmix.commands.predict import main as predict_command
from mmmix.mixing.counters import counter_rng
from mmmix.mixing.draws import draw_partners
from mmmix.studies.trained.images.outside import noise_image
from mmmix.studies.trained.images.splits import build_split
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loaded_classifier import (
    LoadedClassifier,
    PreparedImages,
)
from mmmix.studies.trained.models.loading import load_detector
from mmmix.studies.trained.models.prediction import predict
from mmmix.studies.trained.robustness.fgsm import attack
from tests.configs.config_cases import CONFIGS

from .tiny_data import write_animals

LEAF = 'preact-r18_animal-crops_alignmix'


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    """A random classifier's config and checkpoint, and four images."""
    # made before the fixture that sets it for each test
    init_default_scope('mmpretrain')
    root = tmp_path_factory.mktemp('study')
    write_animals(root / 'crops')
    cfg = Config.fromfile(CONFIGS / f'classification/{LEAF}.py')
    cfg.model.backbone.base_channels = 4
    cfg.model.head.in_channels = 32
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(root / 'crops')
    cfg.dump(root / 'model.py')
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    torch.nn.init.normal_(model.head.fc.weight, std=2.0)
    meta = dict(dataset_meta=dict(classes=tuple('abcdef')))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), root / 'a.pth')
    return f'small={root / "model.py"}@{root / "a.pth"}', root


@pytest.fixture
def classifier(given):
    name, _, rest = given[0].partition('=')
    config, _, checkpoint = rest.partition('@')
    return load_detector(ModelSpec(name, config, checkpoint))


def images_of(classifier):
    dataset = build_split(classifier)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [classifier.read_image(info) for info in infos], infos


def test_it_is_loaded_as_a_classifier_and_predicts_as_its_pipeline(classifier):
    assert isinstance(classifier, LoadedClassifier)
    assert not classifier.model.training
    assert classifier.bgr_to_rgb
    images, infos = images_of(classifier)
    samples = predict(classifier, images, infos, 2)
    packed = [classifier.pack(*pair)['inputs'] for pair in zip(images, infos)]
    inputs = torch.stack(packed).flip(1).float()
    inputs = (inputs - classifier.mean.view(3, 1, 1)) / classifier.std.view(3, 1, 1)
    expected = classifier.model.head(classifier.model.backbone(inputs)).softmax(1)
    torch.testing.assert_close(torch.stack([s.pred_score for s in samples]), expected)
    tops = [classifier.top_score(sample) for sample in samples]
    assert tops == pytest.approx(expected.max(dim=1).values.tolist())


def test_fgsm_follows_the_loss_of_the_plain_label(classifier):
    """The model would mix in training; its attack must not."""
    images, infos = images_of(classifier)
    packed = [classifier.pack(*pair) for pair in zip(images, infos)]
    data = {key: [item[key] for item in packed] for key in packed[0]}
    data = classifier.model.data_preprocessor(data, False)
    inputs = data['inputs']
    attacked = attack(classifier, inputs, data['data_samples'], 8.0)
    leaf = inputs.clone().requires_grad_()
    logits = classifier.model.head(classifier.model.backbone(leaf))
    labels = torch.tensor([info['gt_label'] for info in infos])
    F.cross_entropy(logits, labels).backward()
    mean, std = (v.view(3, 1, 1) for v in (classifier.mean, classifier.std))
    pixels = ((inputs * std + mean) + 8 * leaf.grad.sign()).clamp(0, 255)
    torch.testing.assert_close(attacked * std + mean, pixels, atol=1e-3, rtol=0)
    assert not torch.equal(attacked, inputs)


def test_robustness_gives_the_accuracy_under_each_perturbation(given, classifier):
    model, root = given
    out = root / 'robustness'
    asked = ['hole:0,1', 'boundary:1', 'fgsm:0,8', 'gaussian:0.2']
    robustness.main(
        [model, '--out', str(out), '--perturbations', *asked, '--device', 'cpu']
    )
    (results,) = (json.loads(path.read_text()) for path in out.glob('results.json'))
    assert 'accuracy/top1' in (out / 'cells.csv').read_text()
    images, infos = images_of(classifier)
    right = [
        int(sample.pred_label) == info['gt_label']
        for sample, info in zip(predict(classifier, images, infos), infos)
    ]
    clean = 100 * np.mean(right)
    stored = {
        key.rpartition(' on ')[2].split(',')[0]: value['accuracy/top1']
        for key, value in _values(results)
    }
    # No hole, nothing outside of the whole image, and a step of 0 change nothing.
    for name in ('clean', 'hole:0', 'boundary:1', 'fgsm:0'):
        assert stored[name] == pytest.approx(clean), name
    # A hole that hides all leaves the mean colour: one prediction for all images.
    blank = [
        np.full_like(i, 0) + classifier.mean.flip(0).round().byte().numpy()
        for i in images
    ]
    label = {int(s.pred_label) for s in predict(classifier, blank, infos)}
    assert len(label) == 1
    hidden = 100 * np.mean([info['gt_label'] in label for info in infos])
    assert stored['hole:1'] == pytest.approx(hidden)


def _values(results):
    """Entries of a study's results, wherever its file keeps them."""
    for key, value in results.items():
        if isinstance(value, dict) and 'accuracy/top1' in value:
            yield key, value
        elif isinstance(value, dict):
            yield from _values(value)


def test_uncertainty_scores_are_the_largest_probabilities(given, classifier, capsys):
    model, root = given
    out = root / 'uncertainty'
    uncertainty.main(
        [model, '--out', str(out), '--noise', 'uniform', '--device', 'cpu']
    )
    assert 'AUROC' in capsys.readouterr().out
    results = json.loads((out / 'results.json').read_text())
    kept = {
        key.rpartition(' on ')[2]: value
        for part in (results, *results.values())
        if isinstance(part, dict)
        for key, value in part.items()
        if ' on ' in key
    }
    images, infos = images_of(classifier)
    for name, shown in (
        ('test', images),
        (
            'uniform',
            [noise_image('uniform', im.shape[:2], i) for i, im in enumerate(images)],
        ),
    ):
        samples = predict(classifier, shown, infos)
        expected = [float(sample.pred_score.max()) for sample in samples]
        assert kept[name] == pytest.approx(expected, abs=1e-6)


def test_between_images_a_hit_is_the_class_of_either(given, classifier):
    """Of what the network sees: 64 px, blended there and not before the pipeline."""
    model, root = given
    out = root / 'in_between'
    lams = ['--lams', '0', '0.25', '1', '--score-thr', '0']
    in_between.main([model, '--out', str(out), *lams, '--device', 'cpu'])
    results = json.loads((out / 'results.json').read_text())
    kept = {
        key.rpartition(' on ')[2]: value
        for part in (results, *results.values())
        if isinstance(part, dict)
        for key, value in part.items()
        if ' on ' in key
    }
    images, infos = images_of(classifier)
    seen = [classifier.pack(*pair)['inputs'].float() for pair in zip(images, infos)]
    labels = [info['gt_label'] for info in infos]
    partners = draw_partners(counter_rng(0), 4, 'shuffle').tolist()
    mean, std = (v.view(3, 1, 1) for v in (classifier.mean, classifier.std))
    for lam in (0.0, 0.25, 1.0):
        for index, partner in enumerate(partners):
            mixed = (lam * seen[index] + (1 - lam) * seen[partner]).round()
            inputs = ((mixed.flip(0) - mean) / std)[None]
            scores = classifier.model.head(classifier.model.backbone(inputs)).softmax(1)
            score, label = (float(value) for value in scores.max(dim=1))
            own, other = labels[index] == label, labels[partner] == label
            expected = [score, float(own or other), float(own), 1.0, float(other), 1.0]
            got = kept[f'blend at {lam:g}'][index]
            assert got == pytest.approx(expected, abs=1e-4), (lam, index)


def test_between_images_of_several_classes_is_refused(classifier):
    info = dict(img_path='a.jpg', gt_label=[0, 2])
    dataset = SimpleNamespace(get_data_info=lambda index: dict(info))
    with pytest.raises(ValueError, match=r'a.jpg has the labels \[0, 2\]'):
        PreparedImages(classifier, dataset)[0]
    images, infos = images_of(classifier)
    for label in (3, [3], np.array([3])):  # one, as mmpretrain may hold it
        info = dict(infos[0], gt_label=label)
        assert PreparedImages(classifier, dataset)[0][1]['instances'] == [
            dict(bbox=[0, 0, 64, 64], bbox_label=3)
        ]


def test_commands_that_want_boxes_refuse_it(given, tmp_path):
    model, root = given
    config, _, checkpoint = model.partition('=')[2].partition('@')
    out = ['--out', str(tmp_path), '--device', 'cpu']
    images = str(root / 'crops/images/test')
    with pytest.raises(ValueError, match='is of a classifier .AlignMixClassifier'):
        predict_command([images, config, checkpoint, *out])
    with pytest.raises(ValueError, match='boxes of a detector are wanted'):
        calibration.main([model, *out])
