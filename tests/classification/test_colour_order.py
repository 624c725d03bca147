"""Files are read as BGR, and what a data set holds decoded is RGB."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from . import require  # noqa: F401  skips without mmpretrain

# isort: split
from mmpretrain.datasets import CIFAR10
from mmpretrain.registry import MODELS

from mmmix.commands import uncertainty
from mmmix.studies.trained.models.arguments import ModelSpec
from mmmix.studies.trained.models.loading import load_detector
from mmmix.studies.trained.robustness.perturbations import Perturbation
from mmmix.studies.trained.robustness.perturbed_images import PerturbedImages
from tests.configs.config_cases import CONFIGS

from .tiny_data import write_cifar

RNG = np.random.default_rng(0)
BGR = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8) // [1, 2, 4]
BGR = np.ascontiguousarray(BGR.astype(np.uint8))


@pytest.fixture
def spec(tmp_path):
    init_default_scope('mmpretrain')
    write_cifar(tmp_path, 'CIFAR10')
    cfg = Config.fromfile(CONFIGS / 'classification/preact-r18_cifar10.py')
    cfg.model.backbone.base_channels = 4
    cfg.model.head.in_channels = 32
    cfg.test_dataloader.dataset.data_root = str(tmp_path)
    cfg.dump(tmp_path / 'model.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    torch.nn.init.normal_(model.head.fc.weight, std=2.0)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'a.pth')
    return ModelSpec('small', str(tmp_path / 'model.py'), str(tmp_path / 'a.pth'))


def test_images_of_a_folder_are_seen_in_their_colours(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(CIFAR10, '_check_integrity', lambda self: True)
    (tmp_path / 'outside').mkdir()
    cv2.imwrite(str(tmp_path / 'outside/a.png'), BGR)
    out = tmp_path / 'out'
    outside = ['--outside', str(tmp_path / 'outside'), '--noise', '--device', 'cpu']
    uncertainty.main([str(spec), '--out', str(out), *outside])
    parts = json.loads((out / 'results.json').read_text())['parts']
    ((got,),) = (kept for key, kept in parts.items() if key.endswith(' on outside'))
    classifier = load_detector(spec)
    rgb = torch.from_numpy(BGR[..., ::-1].copy()).permute(2, 0, 1)
    inputs = (rgb - classifier.mean.view(3, 1, 1)) / classifier.std.view(3, 1, 1)
    features = classifier.model.neck(classifier.model.backbone(inputs[None]))
    scores = classifier.model.head.fc(features[-1]).softmax(1)
    assert got == pytest.approx(float(scores.max()), abs=1e-5)


def test_corruptions_see_held_images_in_their_colours(spec):
    pytest.importorskip('imagecorruptions')
    rgb = np.ascontiguousarray(BGR[..., ::-1])
    made = PerturbedImages([rgb], [{'img_id': 0}], Perturbation('snow', 2), 0, 'mean')
    (got,) = made.for_model(load_detector(spec))
    corrupt = TRANSFORMS.build(
        dict(type='mmdet.CommonCorruption', name='snow', severity=2)
    )
    expected = corrupt({'img': BGR.copy(), 'img_id': 0})['img'][..., ::-1]
    assert (got == expected).all()
    assert not (got == corrupt({'img': rgb, 'img_id': 0})['img']).all()
